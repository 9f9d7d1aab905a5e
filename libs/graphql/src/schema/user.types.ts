import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import { parse } from 'graphql';

import { ownerOf, type SessionView } from '#libs/auth';
import { anonymous } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { etagOf } from '#libs/platform/http';
import type { ListUsers, UserListService, UserView, VersionedUser } from '#libs/users';

import { pageSizeOf } from '../limits/arguments.js';
import { DateTime, Json, RoleName, Status } from './leaf-types.js';
import { type Page, PageInfoView } from './page-info-view.js';
import type { GraphqlContext } from './session-loader.js';

type Total = Awaited<ReturnType<UserListService['count']>>;
export type UserCount = 'exact' | 'estimated';

@ObjectType({
  description:
    'A picture. It is set and taken away over REST: `PUT` and `DELETE /v1/users/{id}/avatar`, as a multipart form.',
})
export class Avatar {
  @Field(() => [Int], { description: 'Edges in pixels of the squares that there are.' })
  readonly sizes: readonly number[];

  readonly #url: string;

  constructor({ url, sizes }: NonNullable<UserView['avatar']>) {
    this.#url = url;
    this.sizes = sizes;
  }

  /** @throws AppError `invalid-request` */
  url({ size }: { readonly size: number }): string {
    if (!this.sizes.includes(size)) {
      const message = `must be one of ${this.sizes.join(', ')}`;
      throw new AppError('invalid-request', { errors: [{ path: 'size', message, code: 'invalid-value' }] });
    }
    const end = `-${size}.webp`;
    return this.#url.endsWith(end) ? this.#url : this.#url.replace(/-\d+\.webp$/, end);
  }
}

@ObjectType()
export class User {
  @Field(() => ID)
  readonly id: string;

  @Field(() => String, { description: 'The `sub` of the tokens: the id, unless another was imported.' })
  readonly subject: string;

  @Field(() => String, { description: 'Unique without regard to case.' })
  readonly userName: string;

  @Field(() => String)
  readonly firstName: string;

  @Field(() => String)
  readonly lastName: string;

  @Field(() => String, { nullable: true })
  readonly email: string | null;

  @Field(() => Boolean, { description: 'Whether its user has proved to read the mail of `email`.' })
  readonly emailVerified: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Becomes `email` when it is confirmed; null for services, which do not see it.',
  })
  readonly pendingEmail: string | null;

  @Field(() => [RoleName])
  readonly roles: readonly string[];

  @Field(() => Status)
  readonly status: string;

  @Field(() => Avatar, { nullable: true })
  readonly avatar: Avatar | null;

  @Field(() => Json, { description: 'An object: what the user may change.' })
  readonly profile: UserView['profile'];

  @Field(() => Json, { description: 'An object: what the user may only read.' })
  readonly metadata: UserView['metadata'];

  @Field(() => DateTime)
  readonly createdAt: string;

  @Field(() => DateTime)
  readonly updatedAt: string;

  @Field(() => String, { description: 'The version, as the header `ETag` has it over REST; for `ifMatch`.' })
  readonly etag: string;

  constructor({ user, version }: VersionedUser) {
    this.id = user.id;
    this.subject = user.subject;
    this.userName = user.userName;
    this.firstName = user.firstName;
    this.lastName = user.lastName;
    this.email = user.email;
    this.emailVerified = user.emailVerified;
    this.pendingEmail = user.pendingEmail ?? null;
    this.roles = user.roles;
    this.status = user.status;
    this.avatar = user.avatar && new Avatar(user.avatar);
    this.profile = user.profile;
    this.metadata = user.metadata;
    this.createdAt = user.createdAt;
    this.updatedAt = user.updatedAt;
    this.etag = etagOf(version);
  }

  /** @throws AppError `forbidden`, `invalid-request` */
  sessions(
    { first }: { readonly first: number },
    { request, sessionLoader }: GraphqlContext,
  ): Promise<readonly SessionView[]> {
    return sessionLoader.load(ownerOf(this.id, request.principal ?? anonymous), pageSizeOf(first));
  }
}

@ObjectType()
export class UserEdge {
  @Field(() => User)
  readonly node: User;

  readonly #cursorOf: (user: User) => string;

  constructor(node: User, cursorOf: (user: User) => string) {
    this.node = node;
    this.#cursorOf = cursorOf;
  }

  @Field(() => String)
  get cursor(): string {
    return this.#cursorOf(this.node);
  }
}

/** Cursors and totals are made when they are asked for: a total costs a statement of its own. */
@ObjectType({ description: 'A page of users.' })
export class UserConnection {
  readonly #totals = new Map<UserCount, Promise<Total>>();
  readonly #cursorOf: (user: User) => string;

  constructor(
    private readonly lists: UserListService,
    private readonly query: ListUsers,
    private readonly page: Page<User>,
  ) {
    this.#cursorOf = lists.cursorsOf(query);
  }

  @Field(() => [User], { description: 'The users of the edges, for those who need no cursor of each.' })
  get nodes(): readonly User[] {
    return this.page.items;
  }

  @Field(() => [UserEdge])
  get edges(): readonly UserEdge[] {
    return this.page.items.map((node) => new UserEdge(node, this.#cursorOf));
  }

  @Field(() => PageInfoView)
  get pageInfo(): PageInfoView<User> {
    return new PageInfoView(this.page, this.#cursorOf, this.query.cursor);
  }

  count(how: UserCount): Promise<Total> {
    const known = this.#totals.get(how);
    if (known) return known;
    // a first page without a next one already holds the exact total
    const isWhole = this.query.cursor === undefined && this.page.nextCursor === null;
    const total = isWhole
      ? Promise.resolve({ total: this.page.items.length, totalIs: 'exact' } as const)
      : this.lists.count({ ...this.query, count: how });
    this.#totals.set(how, total);
    return total;
  }
}

/**
 * Fields with arguments that each row of a page may have. graphql-js calls the method of that name.
 * Nest declares arguments by `@Args()` beside `@ResolveField()`, and then runs a chain of promises
 * for each call, which ADR 24 measures.
 */
export const rowFields = parse(`
  extend type Avatar {
    """Where the picture is, over REST; one of \`sizes\`."""
    url(size: Int! = 256): String!
  }
  extend type User {
    """Living sessions, last used first: your own; administrators see those of all."""
    sessions("""1 to 100.""" first: Int! = 10): [Session!]
  }
`);
