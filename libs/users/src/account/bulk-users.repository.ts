import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { isUuid } from '#libs/platform/crypto';
import { lockInTransaction, Sql } from '#libs/platform/database';
import type { AppError } from '#libs/platform/errors';
import { PersonalData } from '#libs/platform/personal-data';
import { RoleGrants } from '#libs/roles';
import { type AuditEvent, AuditTrail } from '#libs/security/audit';

import type { JsonObject } from '../profile/json-object.js';
import type { ProfileField } from '../profile/profile-schemas.js';
import { AddressProofs } from './address-proofs.js';
import { columns, toArray } from './array-literals.js';
import {
  existing,
  exportPage,
  giveUpAddresses,
  insertMissing,
  memberNames,
  namedBy,
  updateProfiles,
} from './bulk-users.sql.js';
import type { User } from './user.entity.js';

/**
 * A prepared user of an import, with keys and defaults. `subject` is null where it is the id.
 * `createdMs` in Unix milliseconds.
 */
export type BulkUser = BulkProfile &
  Pick<User, 'userName' | 'userNameKey' | 'roles' | 'status' | 'passwordHash' | ProfileField> & {
    readonly subject: string | null;
    readonly createdMs: number;
  };

/**
 * A user whose id, subject, name, address or external id an import brings again. `sub` is that of
 * its tokens. `mark` is the transaction that wrote the row last.
 */
export type ExistingUser = {
  readonly id: string;
  readonly sub: string;
  readonly mark: string;
  readonly external_id: string | null;
  readonly user_name_key: string;
  readonly email_key: string | null;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string | null;
  readonly email_verified: boolean;
};

/** What users are found by; those of several rows. */
export type UserKeys = {
  readonly ids: readonly string[];
  readonly subjects: readonly string[];
  readonly externalIds: readonly string[];
  readonly userNameKeys: readonly string[];
  readonly emailKeys: readonly string[];
};

/** The ids of the users that were inserted, and the `mark` of their rows. */
export type Insertion = { readonly ids: ReadonlySet<string>; readonly mark: string | undefined };

/** A role was removed or grew between the check and the insert. */
export class RolesChangedError extends Error {}

const nothing: Insertion = { ids: new Set(), mark: undefined };

/** Who writes, with its id if it is a user; `assertTrusted` throws when it may no longer write. */
export type Writer = {
  readonly who: RequestSource | 'operator';
  readonly callerId: string | undefined;
  readonly assertTrusted: () => Promise<void>;
};

/**
 * The fields of an existing user that an import may change. `emailVerified` is null where the row
 * does not say: an address that stays keeps what it was, a new one is not verified.
 */
export type BulkProfile = Pick<User, 'id' | 'firstName' | 'lastName'> & {
  readonly externalId: string | null;
  readonly email: string | null;
  readonly emailKey: string | null;
  readonly emailVerified: boolean | null;
};

/** A user as exported. */
export type ExportRow = Omit<ExistingUser, 'sub' | 'mark' | 'email_key'> & {
  readonly subject: string | null;
  readonly user_name: string;
  readonly roles: readonly string[];
  readonly profile: JsonObject | null;
  readonly metadata: JsonObject | null;
  readonly status: 'active' | 'deactivated';
  readonly password_hash: string;
  readonly created_ms: number;
};

/** Reads and writes users by the thousand; entities would cost more time than all the rest. */
@Injectable()
export class BulkUsersRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly personalData: PersonalData,
    private readonly audit: AuditTrail,
    private readonly roles: RoleGrants,
    private readonly proofs: AddressProofs,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'externalIds',
      references: [],
      export: (userId) => this.#externalIds(userId),
      // erased with the user's row
      erase: () => Promise.resolve(),
    });
  }

  async *#externalIds(userId: string): AsyncGenerator<{ externalId: string }> {
    const text = 'select external_id from users where id = $1 and external_id is not null';
    const row = await this.sql.row<{ external_id: string }>({ text }, [userId]);
    if (row) yield { externalId: row.external_id };
  }

  /**
   * Inserts the users that collide neither with the table nor with one before them in the order
   * given; no two of them may have one id. Each administrator gets an audit row; the import's own
   * row counts the others.
   * @throws `RolesChangedError`, what `assertTrusted` throws; nothing is inserted then
   */
  async insertMissing(users: readonly BulkUser[], writer: Writer): Promise<Insertion> {
    return this.em.fork().transactional(async (em) => {
      const free = await withoutClashes(em, users);
      if (free.length === 0) return nothing;
      const rows = await em.execute<{ id: string; mark: string }[]>(insertMissing, insertValues(free));
      const ids = new Set(rows.map(({ id }) => id));
      const admins = free.filter(({ id, roles }) => ids.has(id) && roles.includes('admin'));
      const events = admins.map(({ id, roles }): AuditEvent => ({
        event: 'user-created',
        userId: id,
        details: { roles: roles.join(' ') },
      }));
      await this.audit.recordAll(events, writer.who, em);
      await this.#holdRoles(em, free);
      await assertMayCommit(em, writer);
      return { ids, mark: rows[0]?.mark };
    });
  }

  /** Why users may not have their roles, by their ids. Everybody may have `user` alone. */
  async findRoleFaults(users: readonly BulkUser[], em = this.em.fork()): Promise<ReadonlyMap<string, AppError>> {
    const granted = users.filter(({ roles }) => roles.length !== 1 || roles[0] !== 'user');
    if (granted.length === 0) return new Map();
    const faults = await this.roles.findFaults(
      em,
      granted.map(({ roles }) => roles),
    );
    return new Map(granted.flatMap(({ id }, at) => (faults[at] ? [[id, faults[at]] as const] : [])));
  }

  /** After the users are written, which is the order in which all lock. */
  async #holdRoles(em: SqlEntityManager, users: readonly BulkUser[]): Promise<void> {
    if (users.every(({ roles }) => roles.length === 1 && roles[0] === 'user')) return;
    await this.roles.hold(em);
    if ((await this.findRoleFaults(users, em)).size > 0) throw new RolesChangedError();
  }

  /** The users who have one of these already. */
  findExisting({ ids, subjects, externalIds, userNameKeys, emailKeys }: UserKeys): Promise<ExistingUser[]> {
    return this.sql.rows(existing, [ids, subjects, externalIds, userNameKeys, emailKeys]);
  }

  /**
   * Sets names, addresses and external ids, all or none; users may swap addresses.
   * @throws what `assertTrusted` throws; nothing is changed then
   */
  async updateProfiles(profiles: readonly BulkProfile[], writer: Writer): Promise<void> {
    await this.em.fork().transactional(async (em) => {
      const changed = await em.execute<{ id: string }[]>(giveUpAddresses, columns(profiles, 'id', 'emailKey'));
      await this.proofs.endAll(
        em,
        Array.from(changed, ({ id }) => id),
      );
      const texts = columns(profiles, 'id', 'externalId', ...profile);
      await em.execute(updateProfiles, [...texts, verifiedOf(profiles)]);
      await assertMayCommit(em, writer);
    });
  }

  /** In the order of `user_name_key`; `after` is the key of the row before, or empty. */
  findPage(after: string, limit: number): Promise<ExportRow[]> {
    return this.sql.rows(exportPage, [after, limit]);
  }

  /** Names of the members of all users' objects, at most `limit`; unusual ones are left out. */
  async findMemberNames(field: ProfileField, limit: number): Promise<readonly string[]> {
    const rows = await this.sql.rows<{ name: string }>(memberNames(field), [limit]);
    return rows.map(({ name }) => name);
  }

  async hasAdmin(): Promise<boolean> {
    const text = "select exists (select from users where status = 'active' and roles @> '{admin}') as found";
    const row = await this.sql.row<{ found: boolean }>({ text }, []);
    return row?.found === true;
  }
}

/** A deactivation of the caller either waits for this commit, or is seen by `assertTrusted`. */
async function assertMayCommit(em: SqlEntityManager, { callerId, assertTrusted }: Writer): Promise<void> {
  if (callerId !== undefined) await em.execute('select 1 from users where id = ? for share', [callerId]);
  await assertTrusted();
}

/**
 * The id that a subject reads as: UUIDs are the same in capital letters to whoever stores them as
 * such. Undefined for any other text.
 */
export const idInSubject = (subject: string | null): string | undefined =>
  subject !== null && isUuid(subject) ? subject.toLowerCase() : undefined;

/**
 * The users whose subject is no other user's id and whose id is no other user's subject. Imports
 * that give subjects go one after the other from here on: a clash is in no index.
 */
async function withoutClashes(em: SqlEntityManager, users: readonly BulkUser[]): Promise<readonly BulkUser[]> {
  const named = users.filter(({ subject }) => subject !== null);
  if (named.length === 0) return users;
  await lockInTransaction(em, 'subjects');
  const subjectIds = named.map(({ subject }) => idInSubject(subject)).filter((id) => id !== undefined);
  const values = [toArray(subjectIds), toArray(named.map(({ id }) => id))];
  const others = await em.execute<{ id: string; sub: string }[]>(namedBy, values);
  const ids = new Set(others.map(({ id }) => id));
  const owners = new Map(others.map(({ id, sub }) => [sub, id]));
  return users.filter(({ id, subject }) => {
    const subjectId = idInSubject(subject);
    const isId = subjectId !== undefined && subjectId !== id && ids.has(subjectId);
    return subject === null || (!isId && (owners.get(id) ?? id) === id);
  });
}

function insertValues(users: readonly BulkUser[]): string[] {
  const texts = columns(users, 'id', 'subject', 'externalId', 'userName', 'userNameKey', ...profile);
  const roles = toArray(users.map((user) => user.roles.join(' ')));
  const objects = (['profile', 'metadata'] as const).map((field) => toArray(users.map((user) => toJson(user[field]))));
  const created = `{${users.map(({ createdMs }) => createdMs).join(',')}}`;
  return [...texts, verifiedOf(users), ...columns(users, 'status', 'passwordHash'), roles, ...objects, created];
}

const verifiedOf = (rows: readonly Pick<BulkProfile, 'emailVerified'>[]): string =>
  `{${rows.map(({ emailVerified }) => String(emailVerified)).join(',')}}`;

/** Null when it is empty: most are. */
const toJson = (object: JsonObject): string | null => {
  const text = JSON.stringify(object);
  return text === '{}' ? null : text;
};

const profile = ['firstName', 'lastName', 'email', 'emailKey'] as const;
