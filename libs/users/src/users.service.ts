import { Inject, Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/security/audit';
import type { IdempotencyLock } from '#libs/platform/idempotency';
import { PasswordHasher, PasswordPolicy } from '#libs/security/passwords';
import { type Config, CONFIG } from '#libs/platform/config';
import { rethrowViolation } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { isAdmin, type RequestSource, type Principal } from '#libs/platform/access';

import type { PendingPicture } from './registration-picture.js';
import { assertMayCreate, noSuchUser, readableId } from './user-access.js';
import { toEmailKey } from './email-address.js';
import { assertNotReserved, toUserName } from './user-keys.js';
import type { UserRow } from './user-row.js';
import { type VersionedUser, viewOfEntity, viewOfRow } from './user-view.js';
import { UsersRepository } from './users.repository.js';
import type { CreateUser } from './users.schema.js';

/** What somebody registers with. With a `claim` the answer is kept for a retry of the request. */
type NewAccount = {
  readonly input: CreateUser;
  readonly picture: PendingPicture | undefined;
  readonly claim: IdempotencyLock<VersionedUser> | undefined;
};

/** Makes and reads accounts. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly audit: AuditTrail,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws AppError `invalid-request`, `registration-closed`, `forbidden`, `password-refused`, `user-name-taken`, `email-taken` */
  async create(
    { input, picture, claim }: NewAccount,
    source: RequestSource,
    signal: AbortSignal,
  ): Promise<VersionedUser> {
    assertMayCreate(input, source.caller, this.config.REGISTRATION);
    this.hasher.queue.assertRoom();
    const name = toUserName(input.userName);
    if (!isAdmin(source.caller)) assertNotReserved(name);
    const { userName, key: userNameKey } = name;
    const { firstName, lastName, password, email = null, roles = ['user'] } = input;
    await this.policy.check(password, { userName, firstName, lastName, email, roles });
    // not before the policy, which may ask the network: a place is not to be held for that long
    using place = this.hasher.queue.keepPlace();
    const emailKey = email === null ? null : toEmailKey(email);
    // before the hash, so that a taken name costs no hashing; the constraint decides
    const taken = await this.users.findTaken(userNameKey, emailKey);
    if (taken.isNameTaken) throw new AppError('user-name-taken');
    if (taken.isEmailTaken) throw new AppError('email-taken');
    const avatarHash = await picture?.keep(signal);
    const passwordHash = await this.hasher.hash(password, { signal, place });
    const user = await this.users
      .insert(
        {
          userName,
          userNameKey,
          firstName,
          lastName,
          email,
          emailKey,
          roles,
          passwordHash,
          avatarHash: avatarHash ?? null,
        },
        async (em, created) => {
          const details = { roles: roles.join(' ') };
          if (avatarHash) await picture?.link(em, avatarHash);
          await this.audit.record({ event: 'user-created', userId: created.id, details }, source, em);
          await claim?.keep(em, viewOfEntity(created, this.config.PUBLIC_URL), created.id);
          // a picture and a hash have taken their time
          assertMayCreate(input, await source.callerNow(), this.config.REGISTRATION);
        },
      )
      .catch(rethrowTaken);
    return viewOfEntity(user, this.config.PUBLIC_URL);
  }

  /** @throws AppError `forbidden`, `user-not-found`, `invalid-token` when the caller is no more */
  async get(id: string, caller: Principal): Promise<VersionedUser> {
    const userId = readableId(id, caller);
    const row = await this.users.findById(userId);
    if (!row) throw noSuchUser(userId, caller);
    return this.#view(row);
  }

  /** @throws AppError `forbidden`, `user-not-found` */
  async getByUserName(name: string, caller: Principal): Promise<VersionedUser> {
    const row = await this.users.findByNameKey(toUserName(name).key);
    // a stranger must not learn from the answer whether the name is taken
    readableId(row?.id ?? '', caller);
    if (!row) throw new AppError('user-not-found');
    return this.#view(row);
  }

  #view(row: UserRow): VersionedUser {
    return { user: viewOfRow(row, this.config.PUBLIC_URL), version: row.version };
  }
}

/** For names and addresses that somebody else has. */
export const rethrowTaken = rethrowViolation({
  users_user_name_key_unique: (cause) => new AppError('user-name-taken', { cause }),
  users_email_key_unique: (cause) => new AppError('email-taken', { cause }),
});
