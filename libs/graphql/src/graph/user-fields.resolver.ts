import { ResolveField, Resolver } from '@nestjs/graphql';

import { ownerOf, type SessionView } from '#libs/auth';
import { anonymous, type RequestContext } from '#libs/platform/access';
import type { UserView } from '#libs/users';

import { pageSizeOf } from './page-size.js';
import { IntArgument } from './plain-field.js';
import { SessionLoader } from './session-loader.js';
import { Session } from './session.types.js';
import { User } from './user.types.js';

@Resolver(() => User)
export class UserFieldsResolver {
  constructor(private readonly sessionsOf: SessionLoader) {}

  @ResolveField(() => [Session], {
    nullable: true,
    description: 'Living sessions, last used first: your own; administrators see those of all.',
  })
  @IntArgument('first', { defaultValue: 10, description: '1 to 100.' })
  sessions({ id }: UserView, { first }: { first: number }, context: RequestContext): Promise<readonly SessionView[]> {
    const owner = ownerOf(id, context.request.principal ?? anonymous);
    return this.sessionsOf.load(owner, pageSizeOf(first), context);
  }
}
