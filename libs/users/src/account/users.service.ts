import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import type { IdempotencyLock } from '#libs/platform/idempotency';
import { Passwords } from '#libs/security/passwords';
import { AppError } from '#libs/platform/errors';
import { PicturesService } from '#libs/platform/pictures';
import { isAdmin, type RequestSource, type Principal } from '#libs/platform/access';

import { NewAccountRules } from './new-account-rules.js';
import { noSuchUser, readableId } from './user-access.js';
import { toEmailKey } from './email-address.js';
import { assertNotReserved, rethrowTaken, toUserName } from './user-keys.js';
import type { PreparedUserName } from '../user-names/prepare-user-name.js';
import type { User } from './user.entity.js';
import type { UserRow } from './user-row.sql.js';
import type { VersionedUser } from './user-view.js';
import { UserViews } from './user-views.js';
import { type Claimed, type NewUser, UsersRepository } from './users.repository.js';
import type { CreateUser } from './users.schema.js';

/** `picture` is the file as it came. With a `lock` the answer is kept for a retry. */
type NewAccount = {
  readonly input: CreateUser;
  readonly picture: Buffer | undefined;
  readonly lock: IdempotencyLock<VersionedUser> | undefined;
};

/** An account that its user makes from what somebody else has prepared; the address is proven. */
export type PreparedAccount = Claimed & {
  readonly input: Pick<CreateUser, 'userName' | 'firstName' | 'lastName' | 'password'> & {
    readonly email: string;
    readonly roles: string[];
  };
};

/** What is checked of a new account, and made for it. */
type Draft = {
  readonly input: CreateUser;
  readonly picture?: Buffer | undefined;
  readonly name: PreparedUserName;
  readonly signal: AbortSignal;
};

/** Creates and reads accounts. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly pictures: PicturesService,
    private readonly audit: AuditTrail,
    private readonly views: UserViews,
    private readonly rules: NewAccountRules,
  ) {}

  /**
   * @throws AppError `invalid-request`, `registration-closed`, `forbidden`, `password-refused`,
   * `user-name-taken`, `email-taken`, `unreadable-image`, `image-too-large`, `overloaded`,
   * `unknown-role`, `permissions-too-large`, `profile-too-large`
   */
  async create(
    { input, picture, lock }: NewAccount,
    source: RequestSource,
    signal: AbortSignal,
  ): Promise<VersionedUser> {
    this.rules.assertMayCreate(input, source.caller);
    this.passwords.queue.assertRoom();
    const name = toUserName(input.userName);
    if (!isAdmin(source.caller)) assertNotReserved(name);
    this.rules.assertFit(input, source.caller);
    const fields = await this.#fieldsOf({ input, picture, name, signal });
    const inSameTransaction = async (em: SqlEntityManager, created: User): Promise<void> => {
      await this.#record(em, created, source);
      await this.rules.welcome(em, created, source);
      await lock?.keep(em, this.views.ofEntity(created, source.caller), created.id);
      // picture and hash took time, in which trust may have ended
      this.rules.assertMayCreate(input, await source.callerNow());
    };
    const user = await this.users.insert(fields, inSameTransaction).catch(rethrowTaken);
    return this.views.ofEntity(user, source.caller);
  }

  /**
   * Also while registration is closed: whoever has prepared the account decided that. The address
   * counts as verified; roles that there are no more are left out.
   * @throws AppError `invalid-request`, `password-refused`, `user-name-taken`, `email-taken`,
   * `overloaded`, `permissions-too-large`, and what `claim` throws; nothing is used up then
   */
  async createPrepared(
    { input, claim, inSameTransaction }: PreparedAccount,
    source: RequestSource,
    signal: AbortSignal,
  ): Promise<VersionedUser> {
    this.passwords.queue.assertRoom();
    const name = toUserName(input.userName);
    assertNotReserved(name);
    const fields = { ...(await this.#fieldsOf({ input, name, signal })), emailVerified: true };
    const recorded = async (em: SqlEntityManager, created: User): Promise<void> => {
      await this.#record(em, created, source);
      await inSameTransaction(em, created);
      await source.callerNow();
    };
    const user = await this.users.insertPromised(fields, { claim, inSameTransaction: recorded }).catch(rethrowTaken);
    return this.views.ofEntity(user, source.caller);
  }

  async #fieldsOf({ input, picture, name, signal }: Draft): Promise<NewUser> {
    const { userName, key: userNameKey } = name;
    const { firstName, lastName, password, email = null, roles = ['user'], profile = {}, metadata = {} } = input;
    await this.passwords.validate(password, { userName, firstName, lastName, email, roles });
    // after the policy, which may ask the network: a reservation must not be held for that long
    using reservation = this.passwords.queue.reserve();
    const emailKey = email === null ? null : toEmailKey(email);
    // so that a taken name costs no hashing; the constraint decides
    const taken = await this.users.findTaken(userNameKey, emailKey);
    if (taken.isNameTaken) throw new AppError('user-name-taken');
    if (taken.isEmailTaken) throw new AppError('email-taken');
    const pictures = picture && (await this.pictures.make(picture, signal));
    if (pictures) await this.pictures.keep(pictures);
    const passwordHash = await this.passwords.hash(password, { signal, reservation });
    const named = { userName, userNameKey, firstName, lastName, email, emailKey };
    return { ...named, roles, profile, metadata, passwordHash, avatarHash: pictures?.hash ?? null };
  }

  async #record(em: SqlEntityManager, { id: userId, roles, avatarHash }: User, source: RequestSource): Promise<void> {
    if (avatarHash) await this.pictures.link(em, undefined, Buffer.from(avatarHash));
    await this.audit.record({ event: 'user-created', userId, details: { roles: roles.join(' ') } }, source, em);
  }

  /** @throws AppError `forbidden`, `user-not-found`, `invalid-token` when the caller is no more */
  async get(id: string, caller: Principal): Promise<VersionedUser> {
    const userId = readableId(id, caller);
    const row = await this.users.findById(userId);
    if (!row) throw noSuchUser(userId, caller);
    return this.#view(row, caller);
  }

  /** @throws AppError `forbidden`, `user-not-found` */
  async getByUserName(name: string, caller: Principal): Promise<VersionedUser> {
    const row = await this.users.findByNameKey(toUserName(name).key);
    // a stranger must not learn from the answer whether the name is taken
    readableId(row?.id ?? '', caller);
    if (!row) throw new AppError('user-not-found');
    return this.#view(row, caller);
  }

  #view(row: UserRow, caller: Principal): VersionedUser {
    return { user: this.views.ofRow(row, caller), version: row.version };
  }
}
