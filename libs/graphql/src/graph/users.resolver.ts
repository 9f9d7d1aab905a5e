import { Args, ID, Int, Query, Resolver } from '@nestjs/graphql';

import { AuditBursts } from '#libs/security/audit';
import { Caller, Source, type RequestSource, type Principal, Requires } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { RateClass } from '#libs/security/rate-limits';
import { listUsersSchema, UserListService, userIdSchema, userNameParamSchema, UsersService } from '#libs/users';

import { UserSort } from './enums.js';
import { type GraphUser, toGraphUser, withEtag } from './graph-user.js';
import { parseInput, withoutNulls } from './parsed.pipe.js';
import { UserPageView } from './user-page.js';
import { User, UserConnection, UserFilter } from './user.types.js';

@Resolver()
export class UsersResolver {
  constructor(
    private readonly accounts: UsersService,
    private readonly lists: UserListService,
    private readonly bursts: AuditBursts,
  ) {}

  @Query(() => User, { nullable: true, description: 'The signed-in user.' })
  @RateClass('read')
  async me(@Caller() caller: Principal): Promise<GraphUser> {
    return toGraphUser(await this.accounts.get('me', caller));
  }

  @Query(() => User, {
    nullable: true,
    description: 'A user by `id` or by `userName`: yourself; administrators and services with `users:read` see all.',
  })
  @RateClass('read')
  @Requires({ roles: ['user', 'admin'], scopes: ['users:read'] })
  async user(
    @Args('id', { type: () => ID, nullable: true }) id: string | undefined,
    @Args('userName', { type: () => String, nullable: true }) userName: string | undefined,
    @Caller() caller: Principal,
  ): Promise<GraphUser> {
    const [byId, byName] = [id ?? undefined, userName ?? undefined];
    if ((byId === undefined) === (byName === undefined)) throw new AppError('invalid-request', oneOfBoth);
    const found =
      byId === undefined
        ? await this.accounts.getByUserName(parseInput(userNameParamSchema, byName), caller)
        : await this.accounts.get(parseInput(userIdSchema, byId), caller);
    return toGraphUser(found);
  }

  @Query(() => UserConnection, {
    nullable: true,
    description: 'List, filter and search users: administrators, services with `users:read`.',
  })
  @RateClass('read')
  @Requires({ roles: ['admin'], scopes: ['users:read'] })
  async users(
    @Args('filter', { type: () => UserFilter, nullable: true }) filter: UserFilter | undefined,
    @Args('sort', { type: () => UserSort, defaultValue: UserSort.CREATED_AT_DESC }) sort: string,
    @Args('first', { type: () => Int, defaultValue: 20, description: 'Users on a page, 1 to 100.' }) first: number,
    @Args('after', { type: () => String, nullable: true }) after: string | undefined,
    @Source() source: RequestSource,
  ): Promise<UserPageView> {
    // over REST these are texts of a query
    const fields = { ...withoutNulls(filter), sort, limit: String(first), ...withoutNulls({ cursor: after }) };
    const query = parseInput(listUsersSchema, fields, { limit: 'first', cursor: 'after' });
    const page = await this.lists.listAs(query, withEtag);
    this.bursts.noteRead({ event: 'users-listed' }, source);
    return new UserPageView(this.lists, query, page);
  }
}

const oneOfBoth = {
  errors: [{ path: 'id', message: 'give either `id` or `userName`', code: 'invalid' }],
};
