import { Args, Int, Parent, ResolveField, Resolver } from '@nestjs/graphql';

import { CountHow, CountIs } from './enums.js';
import type { UserPageView } from './user-page.js';
import { UserConnection } from './user.types.js';

type How = 'exact' | 'estimated';

/** What of a page costs a statement of its own. */
@Resolver(() => UserConnection)
export class UserConnectionResolver {
  @ResolveField(() => Int, { description: 'All users that the filter lets through, up to 10,000; see `totalCountIs`.' })
  async totalCount(
    @Parent() page: UserPageView,
    @Args('how', { type: () => CountHow, defaultValue: CountHow.EXACT }) how: How,
  ): Promise<number> {
    return (await page.count(how)).total;
  }

  @ResolveField(() => CountIs)
  async totalCountIs(
    @Parent() page: UserPageView,
    @Args('how', { type: () => CountHow, defaultValue: CountHow.EXACT }) how: How,
  ): Promise<string> {
    return (await page.count(how)).totalIs;
  }
}
