import { Args, ID, Mutation, Resolver } from '@nestjs/graphql';

import { type ChangePassword, changePasswordSchema, PasswordChange } from '#libs/auth';
import { From, OptionalAuth, type Origin } from '#libs/platform/access';
import { ClientGone } from '#libs/platform/http';
import { RateClass } from '#libs/rate-limits';
import {
  type CreateUser,
  createUserSchema,
  type PatchUser,
  patchUserSchema,
  UserChangesService,
  userIdSchema,
  UsersService,
  type UserView,
} from '#libs/users';

import { parsed } from './parsed.pipe.js';
import { NewUser, PasswordChangeInput, User, UserChange } from './user.types.js';

const userId = { type: () => ID, description: 'A user id, or `me`.' };
const id = parsed(userIdSchema);
/** Versions are a matter of HTTP headers, which one request with several changes has but once. */
const anyVersion = (): void => undefined;

/** Pictures come over REST, and so do keys of attempts: `Idempotency-Key` is a header too. */
const asked = { picture: undefined, claim: undefined };

@Resolver()
export class UserMutationsResolver {
  constructor(
    private readonly users: UsersService,
    private readonly changes: UserChangesService,
    private readonly passwords: PasswordChange,
  ) {}

  @Mutation(() => User, { nullable: true, description: 'Register, or create a user as an administrator.' })
  @OptionalAuth()
  @RateClass('hash')
  async createUser(
    @Args('user', { type: () => NewUser }, parsed(createUserSchema)) input: CreateUser,
    @From() origin: Origin,
    @ClientGone() signal: AbortSignal,
  ): Promise<UserView> {
    return (await this.users.create({ input, ...asked }, origin, signal)).user;
  }

  @Mutation(() => User, { nullable: true, description: 'Change a user in part.' })
  @RateClass('write')
  async updateUser(
    @Args('id', userId, id) target: string,
    @Args('change', { type: () => UserChange }, parsed(patchUserSchema)) change: PatchUser,
    @From() origin: Origin,
  ): Promise<UserView> {
    return (await this.changes.patch(target, change, origin, anyVersion)).user;
  }

  @Mutation(() => User, {
    nullable: true,
    description: 'End the trust in a user: tokens are dead at once. Administrators only.',
  })
  @RateClass('write')
  deactivateUser(@Args('id', userId, id) target: string, @From() origin: Origin): Promise<UserView> {
    return this.#setStatus(target, 'deactivated', origin);
  }

  @Mutation(() => User, { nullable: true, description: 'Let a deactivated user in again. Administrators only.' })
  @RateClass('write')
  activateUser(@Args('id', userId, id) target: string, @From() origin: Origin): Promise<UserView> {
    return this.#setStatus(target, 'active', origin);
  }

  @Mutation(() => Boolean, { nullable: true, description: 'Change a password; the other sessions of the user end.' })
  @RateClass('hash')
  async changePassword(
    @Args('id', userId, id) target: string,
    @Args('change', { type: () => PasswordChangeInput }, parsed(changePasswordSchema)) change: ChangePassword,
    @From() origin: Origin,
  ): Promise<true> {
    await this.passwords.change(target, change, origin);
    return true;
  }

  @Mutation(() => Boolean, { nullable: true, description: 'Erase a user; all tokens are dead at once.' })
  @RateClass('write')
  async deleteUser(@Args('id', userId, id) target: string, @From() origin: Origin): Promise<true> {
    await this.changes.erase(target, origin, anyVersion);
    return true;
  }

  async #setStatus(target: string, status: 'active' | 'deactivated', origin: Origin): Promise<UserView> {
    return (await this.changes.patch(target, { status }, origin, anyVersion)).user;
  }
}
