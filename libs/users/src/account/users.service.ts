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
import type { User } from './user.entity.js';
import type { UserRow } from './user-row.sql.js';
import type { VersionedUser } from './user-view.js';
import { UserViews } from './user-views.js';
import { UsersRepository } from './users.repository.js';
import type { CreateUser } from './users.schema.js';

/** `picture` is the file as it came. With a `lock` the answer is kept for a retry. */
type NewAccount = {
  readonly input: CreateUser;
  readonly picture: Buffer | undefined;
  readonly lock: IdempotencyLock<VersionedUser> | undefined;
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
    const { userName, key: userNameKey } = name;
    const { firstName, lastName, password, email = null, roles = ['user'], profile = {}, metadata = {} } = input;
    this.rules.assertFit(input, source.caller);
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
    const avatarHash = pictures?.hash ?? null;
    const named = { userName, userNameKey, firstName, lastName, email, emailKey };
    const fields = { ...named, roles, profile, metadata, passwordHash, avatarHash };
    const inSameTransaction = async (em: SqlEntityManager, created: User): Promise<void> => {
      if (avatarHash) await this.pictures.link(em, undefined, avatarHash);
      const details = { roles: roles.join(' ') };
      await this.audit.record({ event: 'user-created', userId: created.id, details }, source, em);
      await this.rules.welcome(em, created, source);
      await lock?.keep(em, this.views.ofEntity(created, source.caller), created.id);
      // picture and hash took time, in which trust may have ended
      this.rules.assertMayCreate(input, await source.callerNow());
    };
    const user = await this.users.insert(fields, inSameTransaction).catch(rethrowTaken);
    return this.views.ofEntity(user, source.caller);
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
