import { Args, ID, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';

import { AuditBursts } from '#libs/security/audit';
import { Caller, Source, type RequestSource, type Principal, Requires } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { RateClass } from '#libs/security/rate-limits';
import { listUsersSchema, UserListService, userIdSchema, userNameParamSchema, UsersService } from '#libs/users';

import { parseInput, parseList } from '../limits/arguments.js';
import { CountHow, CountIs, UserSort } from '../schema/leaf-types.js';
import { UserFilter } from '../schema/user.inputs.js';
import { User, UserConnection, type UserCount } from '../schema/user.types.js';

const how = { type: () => CountHow, defaultValue: CountHow.EXACT };

@Resolver(() => UserConnection)
export class UsersResolver {
  constructor(
    private readonly accounts: UsersService,
    private readonly lists: UserListService,
    private readonly bursts: AuditBursts,
  ) {}

  @Query(() => User, { nullable: true, description: 'The signed-in user.' })
  @RateClass('read')
  async me(@Caller() caller: Principal): Promise<User> {
    return new User(await this.accounts.get('me', caller));
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
  ): Promise<User> {
    const [byId, byName] = [id ?? undefined, userName ?? undefined];
    if ((byId === undefined) === (byName === undefined)) throw new AppError('invalid-request', oneOfBoth);
    const found =
      byId === undefined
        ? await this.accounts.getByUserName(parseInput(userNameParamSchema, byName), caller)
        : await this.accounts.get(parseInput(userIdSchema, byId), caller);
    return new User(found);
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
  ): Promise<UserConnection> {
    const query = parseList(listUsersSchema, { filter: filter && asInQuery(filter), sort, first, after });
    const page = await this.lists.listAs(query, source.caller, (user, version) => new User({ user, version }));
    this.bursts.noteRead({ event: 'users-listed' }, source);
    return new UserConnection(this.lists, query, page);
  }

  @ResolveField(() => Int, { description: 'All users that the filter lets through, up to 10,000; see `totalCountIs`.' })
  async totalCount(@Parent() page: UserConnection, @Args('how', how) kind: UserCount): Promise<number> {
    return (await page.count(kind)).total;
  }

  @ResolveField(() => CountIs)
  async totalCountIs(@Parent() page: UserConnection, @Args('how', how) kind: UserCount): Promise<string> {
    return (await page.count(kind)).totalIs;
  }
}

/** Names the members of `profile` and `metadata` as a query has them. */
function asInQuery({ profile, metadata, ...rest }: UserFilter): object {
  const named = Object.entries({ profile, metadata }).flatMap(([field, members]) =>
    Object.entries(Object(members)).map(([name, value]) => [`${field}.${name}`, textOf(value)]),
  );
  return { ...rest, ...Object.fromEntries(named) };
}

/** What is no single value stays, and is refused. */
const textOf = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;

const oneOfBoth = {
  errors: [{ path: 'id', message: 'give either `id` or `userName`', code: 'invalid' }],
};
