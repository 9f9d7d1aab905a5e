import { Inject, Injectable } from '@nestjs/common';

import { AuditTrail } from '#libs/audit';
import { PasswordHasher, PasswordPolicy } from '#libs/passwords';
import { type Config, CONFIG } from '#libs/platform/config';
import { violatedConstraint } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { decodeCursor, encodeCursor } from '#libs/platform/http';
import type { Origin, Principal } from '#libs/platform/access';

import { assertMayCreate, readableId } from './user-access.js';
import { toEmailKey, toUserName } from './user-keys.js';
import { type VersionedUser, viewOfEntity, viewOfRow } from './user-view.js';
import { UsersRepository, type UserRow } from './users.repository.js';
import type { CreateUser, ListUsers, UserPage } from './users.schema.js';

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

  /** @throws AppError `registration-closed`, `forbidden`, `password-refused`, `user-name-taken`, `email-taken` */
  async create(input: CreateUser, origin: Origin, signal?: AbortSignal): Promise<VersionedUser> {
    assertMayCreate(input, origin.caller, this.config.REGISTRATION);
    const { userName, key: userNameKey } = toUserName(input.userName);
    const { firstName, lastName, password, email = null, roles = ['user'] } = input;
    await this.policy.check(password, { userName, firstName, lastName, email });
    const emailKey = email === null ? null : toEmailKey(email);
    // before the hash, so that a taken name costs no hashing; the constraint decides
    const taken = await this.users.findTaken(userNameKey, emailKey);
    if (taken.isNameTaken) throw new AppError('user-name-taken');
    if (taken.isEmailTaken) throw new AppError('email-taken');
    const passwordHash = await this.hasher.hash(password, signal);
    const user = await this.users
      .insert(
        { userName, userNameKey, firstName, lastName, email, emailKey, roles, passwordHash },
        (em, { id: userId }) =>
          this.audit.record({ event: 'user-created', userId, details: { roles: roles.join(' ') } }, origin, em),
      )
      .catch(rethrowTaken);
    return viewOfEntity(user);
  }

  /** @throws AppError `forbidden`, `user-not-found` */
  async get(id: string, caller: Principal): Promise<VersionedUser> {
    return found(await this.users.findById(readableId(id, caller)));
  }

  /** @throws AppError `forbidden`, `user-not-found` */
  async getByUserName(name: string, caller: Principal): Promise<VersionedUser> {
    const row = await this.users.findByNameKey(toUserName(name).key);
    // a stranger must not learn from the answer whether the name is taken
    readableId(row?.id ?? '', caller);
    return found(row);
  }

  /** Newest first. */
  async list({ limit, cursor }: ListUsers): Promise<UserPage> {
    // one extra row tells whether a next page exists
    const rows = await this.users.findPage(limit + 1, cursor === undefined ? undefined : decodeCursor(cursor));
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const hasNext = rows.length > limit && last !== undefined;
    return {
      items: items.map(viewOfRow),
      nextCursor: hasNext ? encodeCursor({ ms: last.created_ms, id: last.id }) : null,
    };
  }
}

function found(row: UserRow | undefined): VersionedUser {
  if (!row) throw new AppError('user-not-found');
  return { user: viewOfRow(row), version: row.version };
}

/** Turns the violation of a unique constraint into the error that the caller understands. */
export function rethrowTaken(error: unknown): never {
  const constraint = violatedConstraint(error);
  if (constraint === 'users_user_name_key_unique') throw new AppError('user-name-taken', { cause: error });
  if (constraint === 'users_email_key_unique') throw new AppError('email-taken', { cause: error });
  throw error;
}
