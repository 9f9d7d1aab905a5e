import { Args, Context, ID, Mutation, Resolver } from '@nestjs/graphql';

import {
  type ChangePassword,
  changePasswordSchema,
  LoginDelaysService,
  PasswordUpdateService,
  type TokenPair as Pair,
} from '#libs/auth';
import { idempotentRequestOf, type IdempotencyLock, Idempotency } from '#libs/platform/idempotency';
import {
  FreshAuthentication,
  Source,
  OptionalAuth,
  type RequestSource,
  type RequestContext,
  Requires,
} from '#libs/platform/access';
import { ClientGone, ifMatch } from '#libs/platform/http';
import { RateClass } from '#libs/security/rate-limits';
import {
  type CreateUser,
  createUserSchema,
  type PatchUser,
  patchUserSchema,
  UserChangesService,
  userIdSchema,
  UsersService,
  type VersionedUser,
} from '#libs/users';

import { parsed } from '../limits/arguments.js';
import { TokenPair } from '../schema/session.types.js';
import { NewUser, PasswordChangeInput, UserChange } from '../schema/user.inputs.js';
import { User } from '../schema/user.types.js';

const userId = { type: () => ID, description: 'A user id, or `me`.' };
const id = parsed(userIdSchema);
/** `If-Match` of REST, as an argument: a request may hold several changes, but only one header. */
const version = {
  type: () => String,
  nullable: true,
  description: 'The `etag` that was read; with another since then nothing is changed (`precondition-failed`).',
};
const anyVersion = ifMatch(undefined);

@Resolver()
export class UserMutationsResolver {
  constructor(
    private readonly users: UsersService,
    private readonly changes: UserChangesService,
    private readonly passwords: PasswordUpdateService,
    private readonly delays: LoginDelaysService,
    private readonly idempotency: Idempotency,
  ) {}

  @Mutation(() => User, {
    nullable: true,
    description:
      'Register, or create a user as an administrator. The header `Idempotency-Key` works as over REST, for one `createUser` in an operation.',
  })
  @OptionalAuth()
  @RateClass('hash')
  async createUser(
    @Args('user', { type: () => NewUser }, parsed(createUserSchema)) input: CreateUser,
    @Source() source: RequestSource,
    @ClientGone() signal: AbortSignal,
    @Context() context: RequestContext,
  ): Promise<User> {
    const attempt = idempotentRequestOf(context, ['POST', '/graphql', 'createUser'], input);
    return new User(
      await this.idempotency.run(attempt, (lock: IdempotencyLock<VersionedUser> | undefined) =>
        // pictures come over REST
        this.users.create({ input, picture: undefined, lock }, source, signal),
      ),
    );
  }

  @Mutation(() => User, {
    nullable: true,
    description: 'Change a user in part; services with `users:write` its `metadata` only.',
  })
  @RateClass('write')
  @Requires({ roles: ['user', 'admin'], scopes: ['users:write'] })
  async updateUser(
    @Args('id', userId, id) target: string,
    @Args('change', { type: () => UserChange }, parsed(patchUserSchema)) change: PatchUser,
    @Args('ifMatch', version) match: string | null | undefined,
    @Source() source: RequestSource,
  ): Promise<User> {
    return new User(await this.changes.patch(target, change, source, ifMatch(match ?? undefined)));
  }

  @Mutation(() => User, {
    nullable: true,
    description: 'End the trust in a user: tokens are dead at once. Administrators only.',
  })
  @RateClass('write')
  deactivateUser(@Args('id', userId, id) target: string, @Source() source: RequestSource): Promise<User> {
    return this.#setStatus(target, 'deactivated', source);
  }

  @Mutation(() => User, { nullable: true, description: 'Let a deactivated user in again. Administrators only.' })
  @RateClass('write')
  activateUser(@Args('id', userId, id) target: string, @Source() source: RequestSource): Promise<User> {
    return this.#setStatus(target, 'active', source);
  }

  @Mutation(() => TokenPair, {
    nullable: true,
    description:
      'Change a password; the other sessions of the user end. Gives the next tokens of the session that changes its own; null for somebody else’s.',
  })
  @RateClass('login', 'hash')
  async changePassword(
    @Args('id', userId, id) target: string,
    @Args('change', { type: () => PasswordChangeInput }, parsed(changePasswordSchema)) change: ChangePassword,
    @Source() source: RequestSource,
    @Context() context: RequestContext,
  ): Promise<Pair | undefined> {
    return this.passwords.change({ id: target, change, source }, context);
  }

  @Mutation(() => Boolean, {
    nullable: true,
    description: 'Forget the failed logins of a user, and the delay they caused. Administrators only.',
  })
  @RateClass('write')
  @Requires({ roles: ['admin'] })
  @FreshAuthentication()
  async liftLoginDelay(@Args('id', userId, id) target: string, @Source() source: RequestSource): Promise<true> {
    await this.delays.lift(target, source);
    return true;
  }

  @Mutation(() => Boolean, { nullable: true, description: 'Erase a user; all tokens are dead at once.' })
  @RateClass('write')
  async deleteUser(
    @Args('id', userId, id) target: string,
    @Args('ifMatch', version) match: string | null | undefined,
    @Source() source: RequestSource,
  ): Promise<true> {
    await this.changes.erase(target, source, ifMatch(match ?? undefined));
    return true;
  }

  async #setStatus(target: string, status: 'active' | 'deactivated', source: RequestSource): Promise<User> {
    return new User(await this.changes.patch(target, { status }, source, anyVersion));
  }
}
