import { LockMode, SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import type { Principal } from '#libs/platform/access';
import { isUuid } from '#libs/platform/crypto';
import { lockInTransaction, BatchedRead, Sql, type Statement } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { PersonalData } from '#libs/platform/personal-data';
import { Turns } from '#libs/platform/queues';
import { RoleGrants } from '#libs/roles';

import { AddressProofs } from './address-proofs.js';
import { noSuchUser } from './user-access.js';
import { type User, UserEntity } from './user.entity.js';
import { userColumns, type UserRow } from './user-row.sql.js';

/** Whose password changes: names that it must not contain, roles that set its least length. */
export type PasswordOwner = Pick<User, 'id' | 'userName' | 'firstName' | 'lastName' | 'roles' | 'passwordHash'> & {
  readonly email: string | null;
};

type Named = Pick<User, 'userName' | 'userNameKey' | 'firstName' | 'lastName' | 'email' | 'emailKey'>;
export type NewUser = Named &
  Pick<User, 'roles' | 'passwordHash'> &
  Partial<Pick<User, 'avatarHash' | 'emailVerified' | 'profile' | 'metadata'>>;

/** What login needs of a user. */
export type Credentials = Pick<UserRow, 'id' | 'status'> & { readonly password_hash: string };

const turnTimeoutMs = 2_500;

const byId: Statement = {
  name: 'user-by-id',
  text: `select asked::int, found.* from unnest($1::uuid[]) with ordinality as wanted (wanted_id, asked)
    cross join lateral (select ${userColumns} from users where id = wanted_id limit 1) as found`,
};
const idsAtOnce = 64;
const byNameKey: Statement = {
  name: 'user-by-name',
  text: `select ${userColumns} from users where user_name_key = $1`,
};
const credentials = 'select id, status, password_hash from users';
const credentialsByName: Statement = { name: 'credentials-by-name', text: `${credentials} where user_name_key = $1` };
const credentialsByEmail: Statement = { name: 'credentials-by-email', text: `${credentials} where email_key = $1` };
const passwordOwner: Statement = {
  name: 'password-owner',
  text: `select id, user_name as "userName", first_name as "firstName", last_name as "lastName", email, roles,
    password_hash as "passwordHash" from users where id = $1`,
};
const adminNames: Statement = {
  text: `select user_name from users where roles @> array['admin']::text[] and status = 'active'
    order by created_at, id limit $1`,
};
const takenKeys: Statement = {
  text: `select exists (select from users where user_name_key = $1) as name_taken,
    exists (select from users where email_key = $2) as email_taken`,
};

/**
 * Work that locks a user's row, or a row that belongs to the user, takes turns: it waits here
 * without a database connection, so that one locked user never holds more than one connection.
 */
@Injectable()
export class UserTurns extends Turns {
  constructor() {
    super(turnTimeoutMs);
  }
}

type InSameTransaction = (em: SqlEntityManager, user: User) => Promise<void>;

/** What is used up by an account: `claim` comes before the insert, and throws when it is gone. */
export type Claimed = {
  readonly claim: (em: SqlEntityManager) => Promise<void>;
  readonly inSameTransaction: InSameTransaction;
};

/** Reads are SQL (design §4); writes go through the entity manager of their transaction. */
@Injectable()
export class UsersRepository {
  readonly #byId: BatchedRead<UserRow & { readonly asked: number }>;

  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly roles: RoleGrants,
    private readonly personalData: PersonalData,
    private readonly proofs: AddressProofs,
    /** To be taken before a transaction that locks a user. */
    readonly turns: UserTurns,
  ) {
    this.#byId = new BatchedRead(sql, byId, idsAtOnce);
  }

  async findById(id: string): Promise<UserRow | undefined> {
    return isUuid(id) ? this.#byId.row(id) : undefined;
  }

  findByNameKey(key: string): Promise<UserRow | undefined> {
    return this.sql.row(byNameKey, [key]);
  }

  /** What login checks, by the exact key of `toUserName` or `toEmailKey`; in one index look-up. */
  findCredentials(by: { userNameKey: string } | { emailKey: string }): Promise<Credentials | undefined> {
    return 'emailKey' in by
      ? this.sql.row(credentialsByEmail, [by.emailKey])
      : this.sql.row(credentialsByName, [by.userNameKey]);
  }

  /**
   * Whether the keys belong to users already. Only a hint before costly work: between this and the
   * insert another request may take them, so that the unique constraints decide.
   */
  async findTaken(
    nameKey: string | null,
    emailKey: string | null,
  ): Promise<{ isNameTaken: boolean; isEmailTaken: boolean }> {
    const row = await this.sql.row<{ name_taken: boolean; email_taken: boolean }>(takenKeys, [nameKey, emailKey]);
    return { isNameTaken: row?.name_taken === true, isEmailTaken: row?.email_taken === true };
  }

  async isEmpty(): Promise<boolean> {
    const row = await this.sql.row<{ empty: boolean }>({ text: 'select not exists (select from users) as empty' }, []);
    return row?.empty === true;
  }

  findPasswordOwner(id: string): Promise<PasswordOwner | undefined> {
    return this.sql.row(passwordOwner, [id]);
  }

  /** @returns whether the hash was still `from`, the one that was verified */
  async changeHash(em: SqlEntityManager, id: string, from: string, to: string): Promise<boolean> {
    return (await em.nativeUpdate(UserEntity, { id, passwordHash: from }, { passwordHash: to })) > 0;
  }

  /** The user if active, locked until the transaction ends. */
  findActiveForUpdate(em: SqlEntityManager, id: string): Promise<User | null> {
    return em.findOne(UserEntity, { id, status: 'active' }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }

  /**
   * Confirms the address of a locked user, unless it is another one by now.
   * @returns whether it was unconfirmed before
   */
  async confirmEmail(em: SqlEntityManager, user: User, emailKey: string): Promise<boolean> {
    if (user.emailVerified || user.emailKey !== emailKey) return false;
    user.emailVerified = true;
    await em.flush();
    return true;
  }

  /** Ends all links and codes that were mailed to a user, since the password has changed. */
  async endProofs(em: SqlEntityManager, id: string): Promise<void> {
    await this.proofs.endAll(em, [id]);
  }

  /** Sets the hash, whatever it was before. */
  async setHash(em: SqlEntityManager, id: string, to: string): Promise<void> {
    await em.nativeUpdate(UserEntity, { id }, { passwordHash: to });
  }

  /**
   * Makes all tokens and sessions of a user outdated.
   * @returns the generation of new tokens, and their `sub` where that is not the id
   */
  async raiseGenerations(
    em: SqlEntityManager,
    id: string,
  ): Promise<{ readonly generation: number; readonly tokenSubject: string | null } | undefined> {
    const [user] = await em.execute<{ generation: number; tokenSubject: string | null }[]>(
      `update users set token_generation = token_generation + 1, session_generation = session_generation + 1
        where id = ? returning token_generation as generation, subject as "tokenSubject"`,
      [id],
    );
    return user;
  }

  /** User names of active administrators, at most `limit`, oldest first. */
  async findAdminNames(limit: number): Promise<string[]> {
    const rows = await this.sql.rows<{ user_name: string }>(adminNames, [limit]);
    return rows.map(({ user_name }) => user_name);
  }

  /** As `changeHash`, in a transaction of its own: a change of password in between wins. */
  replaceHash(id: string, from: string, to: string): Promise<boolean> {
    return this.changeHash(this.em.fork(), id, from, to);
  }

  /**
   * Inserts a user, then calls `inSameTransaction` for what belongs to it; all or nothing.
   * @throws the violated unique constraint, which `rethrowTaken` turns into an AppError; AppError
   * `unknown-role`, `permissions-too-large`
   */
  insert(fields: NewUser, inSameTransaction: InSameTransaction): Promise<User> {
    return this.em.fork().transactional((em) => this.#insertInto(em, fields, inSameTransaction));
  }

  /**
   * As `insert`, for a user to whom the roles were promised earlier: those that there are no more
   * are left out.
   * @throws what `claim` throws; AppError `permissions-too-large`
   */
  insertPromised(fields: NewUser, { claim, inSameTransaction }: Claimed): Promise<User> {
    return this.em.fork().transactional(async (em) => {
      await claim(em);
      const user = em.create(UserEntity, fields);
      await em.flush();
      const roles = await this.roles.stillGrantable(em, fields.roles);
      if (roles.length < fields.roles.length) {
        user.roles = roles.length > 0 ? [...roles] : ['user'];
        await em.flush();
      }
      await inSameTransaction(em, user);
      return user;
    });
  }

  /** As `insert`, but only into an empty table. Replicas that start at once take turns. */
  insertFirst(fields: NewUser, inSameTransaction: InSameTransaction): Promise<User | undefined> {
    return this.em.fork().transactional(async (em) => {
      await lockInTransaction(em, 'administrators');
      return (await em.count(UserEntity)) > 0 ? undefined : this.#insertInto(em, fields, inSameTransaction);
    });
  }

  /**
   * Waits for other transactions that take an administrator away: two at once could each count on
   * the administrator that the other one takes.
   * @throws AppError `last-admin` when there is no other active administrator
   */
  async assertOtherAdmin(em: SqlEntityManager, id: string): Promise<void> {
    await lockInTransaction(em, 'administrators');
    const [row] = await em.execute<{ others: boolean }[]>(
      "select exists (select from users where status = 'active' and roles @> '{admin}' and id <> ?) as others",
      [id],
    );
    if (row?.others !== true) throw new AppError('last-admin');
  }

  /** The user, locked until the transaction ends. @throws AppError as `noSuchUser` */
  async findForUpdate(em: SqlEntityManager, id: string, caller: Principal): Promise<User> {
    const user = await em.findOne(UserEntity, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!user) throw noSuchUser(id, caller);
    return user;
  }

  /** @param held roles that the user has already. @throws AppError as `RoleGrants` does */
  assertGrantable(em: SqlEntityManager, roles: readonly string[], held: readonly string[]): Promise<void> {
    return this.roles.assertGrantable(em, roles, held);
  }

  /** The row, and what features keep of the user. */
  async erase(em: SqlEntityManager, user: User): Promise<void> {
    await this.personalData.erase(em, user.id);
    em.remove(user);
  }

  async #insertInto(em: SqlEntityManager, fields: NewUser, inSameTransaction: InSameTransaction): Promise<User> {
    const user = em.create(UserEntity, fields);
    await em.flush();
    await this.roles.assertGrantable(em, fields.roles, everybodysRoles);
    await inSameTransaction(em, user);
    return user;
  }
}

/** Whoever registers has it, so that it needs no check. */
const everybodysRoles = ['user'];
