import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { epochMs, Sql, type Statement } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';
import { type AuditEvent, AuditTrail } from '#libs/security/audit';

import type { User } from './user.entity.js';

/** A prepared user of an import, with keys and defaults. `createdMs` in Unix milliseconds. */
export type BulkUser = BulkProfile &
  Pick<User, 'userName' | 'userNameKey' | 'roles' | 'status' | 'passwordHash'> & { readonly createdMs: number };

/** A user whose name, address or external id an import brings again. */
export type ExistingUser = {
  readonly id: string;
  readonly external_id: string | null;
  readonly user_name_key: string;
  readonly email_key: string | null;
  readonly first_name: string;
  readonly last_name: string;
  readonly email: string | null;
};

/** Who writes, with its id if it is a user; `assertTrusted` throws when it may no longer write. */
export type Writer = {
  readonly who: RequestSource | 'operator';
  readonly callerId: string | undefined;
  readonly assertTrusted: () => Promise<void>;
};

/** The fields of an existing user that an import may change. */
export type BulkProfile = Pick<User, 'id' | 'firstName' | 'lastName'> & {
  readonly externalId: string | null;
  readonly email: string | null;
  readonly emailKey: string | null;
};

/** A user as exported. */
export type ExportRow = Omit<ExistingUser, 'id' | 'email_key'> & {
  readonly user_name: string;
  readonly roles: readonly ('user' | 'admin')[];
  readonly status: 'active' | 'deactivated';
  readonly password_hash: string;
  readonly created_ms: number;
};

/** One statement a batch, so that a batch is written whole or not at all. */
const insertMissing = `insert into users (id, external_id, user_name, user_name_key, first_name, last_name, email, email_key, roles,
      status, password_hash, created_at, updated_at)
    select id, external_id, user_name, user_name_key, first_name, last_name, email, email_key,
      string_to_array(roles, ' '), status, password_hash, to_timestamp(created_ms / 1000), now()
    from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
      ?::text[], ?::text[], ?::text[], ?::float8[]) as row (id, external_id, user_name, user_name_key, first_name,
      last_name, email, email_key, roles, status, password_hash, created_ms)
    on conflict do nothing returning id`;
const existing: Statement = {
  text: `select id, external_id, user_name_key, email_key, first_name, last_name, email from users where id in (
      select id from users where external_id = any($1::text[])
      union all select id from users where user_name_key = any($2::text[])
      union all select id from users where email_key = any($3::text[]))`,
};
/** The first step: addresses may be swapped, and a unique index checks each row as it changes. */
const giveUpAddresses = `update users u set email = null, email_key = null
    from unnest(?::uuid[], ?::text[]) as row (id, email_key)
    where u.id = row.id and u.email_key is distinct from row.email_key`;
const updateProfiles = `update users u set external_id = row.external_id, first_name = row.first_name,
      last_name = row.last_name, email = row.email, email_key = row.email_key, version = u.version + 1, updated_at = now()
    from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[])
      as row (id, external_id, first_name, last_name, email, email_key)
    where u.id = row.id`;
const page: Statement = {
  name: 'users-export-page',
  text: `select external_id, user_name, user_name_key, first_name, last_name, email, roles, status, password_hash,
      ${epochMs('created_at')} as created_ms
    from users where user_name_key > $1 order by user_name_key limit $2`,
};

/** Reads and writes users by the thousand; entities would cost more time than all the rest. */
@Injectable()
export class BulkUsersRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly personalData: PersonalData,
    private readonly audit: AuditTrail,
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
   * given. Each administrator gets an audit row; the import's own row counts the others.
   * @throws what `assertTrusted` throws; nothing is inserted then
   * @returns the ids of the inserted users
   */
  async insertMissing(users: readonly BulkUser[], writer: Writer): Promise<ReadonlySet<string>> {
    const texts = columns(users, 'id', 'externalId', 'userName', 'userNameKey', ...profile);
    const roles = toArray(users.map((user) => user.roles.join(' ')));
    const created = `{${users.map(({ createdMs }) => createdMs).join(',')}}`;
    const values = [...texts, roles, ...columns(users, 'status', 'passwordHash'), created];
    return this.em.fork().transactional(async (em) => {
      const rows = await em.execute<{ id: string }[]>(insertMissing, values);
      const added = new Set(rows.map(({ id }) => id));
      const admins = users.filter(({ id, roles }) => added.has(id) && roles.includes('admin'));
      const events = admins.map(({ id, roles }): AuditEvent => ({
        event: 'user-created',
        userId: id,
        details: { roles: roles.join(' ') },
      }));
      await this.audit.recordAll(events, writer.who, em);
      await assertMayCommit(em, writer);
      return added;
    });
  }

  /** The users who have a name, an address or an external id of these already. */
  findExisting(users: readonly BulkUser[]): Promise<ExistingUser[]> {
    return this.sql.rows(existing, [
      present(users.map(({ externalId }) => externalId)),
      users.map(({ userNameKey }) => userNameKey),
      present(users.map(({ emailKey }) => emailKey)),
    ]);
  }

  /**
   * Sets names, addresses and external ids, all or none; users may swap addresses.
   * @throws what `assertTrusted` throws; nothing is changed then
   */
  async updateProfiles(profiles: readonly BulkProfile[], writer: Writer): Promise<void> {
    await this.em.fork().transactional(async (em) => {
      await em.execute(giveUpAddresses, columns(profiles, 'id', 'emailKey'));
      await em.execute(updateProfiles, columns(profiles, 'id', 'externalId', ...profile));
      await assertMayCommit(em, writer);
    });
  }

  /** In the order of `user_name_key`; `after` is the key of the row before, or empty. */
  findPage(after: string, limit: number): Promise<ExportRow[]> {
    return this.sql.rows(page, [after, limit]);
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

const present = (values: readonly (string | null)[]): string[] => values.filter((value) => value !== null);

const profile = ['firstName', 'lastName', 'email', 'emailKey'] as const;

/** One array for each name, with the values of all rows. */
const columns = <Name extends string>(rows: readonly Record<Name, string | null>[], ...names: Name[]): string[] =>
  names.map((name) => toArray(rows.map((row) => row[name])));

/** An array literal (PostgreSQL §8.15.2); the driver's took a quarter of an import's time. */
const toArray = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"${escaped(value)}"`)).join(',')}}`;

const escaped = (value: string): string => (/["\\]/.test(value) ? value.replaceAll(/["\\]/g, String.raw`\$&`) : value);
