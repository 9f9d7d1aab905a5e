import { Args, Int, Parent, ResolveField, Resolver } from '@nestjs/graphql';

import { CountHow, CountIs } from '../schema/leaf-types.js';
import { UserConnection } from '../schema/user.types.js';

const how = { type: () => CountHow, defaultValue: CountHow.EXACT };
type How = 'exact' | 'estimated';

/** The fields of a page that cost a statement of their own. */
@Resolver(() => UserConnection)
export class UserConnectionResolver {
  @ResolveField(() => Int, { description: 'All users that the filter lets through, up to 10,000; see `totalCountIs`.' })
  async totalCount(@Parent() page: UserConnection, @Args('how', how) kind: How): Promise<number> {
    return (await page.count(kind)).total;
  }

  @ResolveField(() => CountIs)
  async totalCountIs(@Parent() page: UserConnection, @Args('how', how) kind: How): Promise<string> {
    return (await page.count(kind)).totalIs;
  }
}
