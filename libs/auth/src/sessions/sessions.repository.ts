import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import type { RequestSource, Principal, Role } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { epochMs, Sql, type Statement } from '#libs/platform/database';
import { UserTurns } from '#libs/users';

/** What a token of the session says of its user. */
export type SessionUser = {
  readonly user_id: string;
  readonly roles: readonly Role[];
  readonly token_generation: number;
  readonly client_id: string;
  /** When the user last gave the password, in Unix seconds. */
  readonly auth_time: number;
  /** Seconds until the session is over, if its refresh token is not used before. */
  readonly remaining_s: number;
};

export type SessionRow = {
  readonly id: string;
  readonly created_ms: number;
  readonly last_used_ms: number;
  readonly user_agent: string | null;
  readonly ip: string | null;
};

/** A session that was ended, and whether access tokens of it may still be good. */
export type EndedSession = { readonly id: string; readonly has_tokens: boolean };

/** What `ACCESS_TOKEN_TTL_SECONDS` can be at most on any replica, and the difference of clocks. */
export const longestTokenSeconds = 86_400 + 60;

/** A service that shows its key gets on with its own sessions only (RFC 6749 §10.4); nobody needs to show one. */
const isOfClient = (service: string): string => `(${service}::text is null or s.client_id = ${service})`;
/** $2 idle and $3 absolute lifetime in seconds. */
const isAlive = `s.last_used_at > now() - make_interval(secs => $2) and s.created_at > now() - make_interval(secs => $3)
  and u.status = 'active' and s.generation = u.session_generation`;
const remaining = `least($2::float8, $3::float8 - extract(epoch from now() - s.created_at))::float8 as remaining_s`;

/** Sessions from before the column do not say; every session begins with the password. */
const authTime = `floor(extract(epoch from coalesce(s.authenticated_at, s.created_at)))::float8 as auth_time`;

/** Of a session that is not used now; parameters of its idle and its absolute lifetime in seconds. */
export const remainingUnused = (idle: string, absolute: string): string =>
  `least(${idle}::float8 - extract(epoch from now() - s.last_used_at),
    ${absolute}::float8 - extract(epoch from now() - s.created_at))::float8 as remaining_s`;

const rotate: Statement = {
  name: 'session-rotate',
  text: `update sessions s set previous_hash = s.current_hash, current_hash = $5, rotation = s.rotation + 1,
      previous_rotated_at = s.last_used_at, last_used_at = now(), user_agent = coalesce($6, s.user_agent), ip = $7
    from users u where s.id = $1 and s.current_hash = $4 and u.id = s.user_id and ${isAlive} and ${isOfClient('$8')}
    returning u.id as user_id, u.roles, u.token_generation, s.client_id, ${authTime}, ${remaining}`,
};
const retried: Statement = {
  name: 'session-retried',
  text: `select u.id as user_id, u.roles, u.token_generation, s.client_id, ${authTime}, ${remainingUnused('$2', '$3')}
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.previous_hash = $4 and s.current_hash = $5
      and s.last_used_at > now() - make_interval(secs => $6) and ${isAlive} and ${isOfClient('$7')}`,
};
const ownerOf: Statement = {
  text: 'select user_id from sessions where id = $1',
};
/**
 * The user of a session if its token of the rotation $2 was used longer ago than the grace, $3 in seconds. When it was
 * used is known of the last two; older ones count as used long ago.
 */
const ownerIfReused: Statement = {
  text: `select user_id from sessions where id = $1 and rotation > $2 and not coalesce(
    case rotation - $2 when 1 then last_used_at when 2 then previous_rotated_at end > now() - make_interval(secs => $3),
    false)`,
};
const byToken: Statement = {
  name: 'session-by-token',
  text: `select u.id as user_id, s.client_id, extract(epoch from s.last_used_at)::float8 as issued_s, ${remainingUnused('$2', '$3')}
    from sessions s join users u on u.id = s.user_id where s.id = $1 and s.current_hash = $4 and ${isAlive}`,
};
const listAlive: Statement = {
  text: `select s.id, ${epochMs('s.created_at')} as created_ms,
      ${epochMs('s.last_used_at')} as last_used_ms, s.user_agent, s.ip
    from sessions s join users u on u.id = s.user_id where s.user_id = $1 and ${isAlive}
    order by s.last_used_at desc, s.id desc limit 100`,
};

/** As `listAlive` for several users, at most $4 of each. */
const listAliveOfMany: Statement = {
  text: `select wanted.id as user_id, alive.* from unnest($1::uuid[]) as wanted (id) cross join lateral (
      select s.id, ${epochMs('s.created_at')} as created_ms,
        ${epochMs('s.last_used_at')} as last_used_ms, s.user_agent, s.ip
      from sessions s join users u on u.id = s.user_id where s.user_id = wanted.id and ${isAlive}
      order by s.last_used_at desc, s.id desc limit $4
    ) alive order by alive.last_used_ms desc, alive.id desc`,
};

/** Hashes of a token and of the one that comes in its place. */
type Rotation = { readonly parent: Buffer; readonly child: Buffer };

/** Sessions as SQL: each step is one statement, so that parallel refreshes meet in the row and nowhere else. */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly turns: UserTurns,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Puts the child in the parent's place; nothing when the parent is not the current token of a living session. */
  rotate(
    id: string,
    { parent, child }: Rotation,
    { caller, userAgent, ip }: RequestSource,
  ): Promise<SessionUser | undefined> {
    const values = [id, ...this.#lifetimes(), parent, child, userAgent ?? null, ip, serviceOf(caller)];
    return this.turns.take(id, () => this.sql.row(rotate, values));
  }

  /** Whether the parent was rotated into just this child within the grace. */
  findRetried(id: string, { parent, child }: Rotation, { caller }: RequestSource): Promise<SessionUser | undefined> {
    const { REFRESH_GRACE_SECONDS } = this.config;
    return this.sql.row(retried, [id, ...this.#lifetimes(), parent, child, REFRESH_GRACE_SECONDS, serviceOf(caller)]);
  }

  /** The user of a session whose token of this rotation was used before, and longer ago than the grace. */
  findOwnerIfReused(id: string, rotation: number): Promise<{ user_id: string } | undefined> {
    return this.sql.row(ownerIfReused, [id, rotation, this.config.REFRESH_GRACE_SECONDS]);
  }

  /** The living session whose current token this is, with when that was issued. */
  findByToken(
    id: string,
    hash: Buffer,
  ): Promise<{ user_id: string; client_id: string; issued_s: number; remaining_s: number } | undefined> {
    return this.sql.row(byToken, [id, ...this.#lifetimes(), hash]);
  }

  /** How many tokens of the family there were; the session stays as it is until the transaction ends. */
  async lockRotation(em: SqlEntityManager, id: string): Promise<number | undefined> {
    const [row] = await em.execute<{ rotation: number }[]>('select rotation from sessions where id = ? for update', [
      id,
    ]);
    return row?.rotation;
  }

  /** Puts a new token in the place of the current one, which gets no grace; the user has just given the password. */
  async renew(em: SqlEntityManager, id: string, hash: Buffer): Promise<SessionUser | undefined> {
    const [user] = await em.execute<SessionUser[]>(
      `update sessions s set previous_hash = null, current_hash = ?, rotation = s.rotation + 1,
          previous_rotated_at = s.last_used_at, last_used_at = now(), authenticated_at = now()
        from users u where s.id = ? and u.id = s.user_id
        returning u.id as user_id, u.roles, u.token_generation, s.client_id, ${authTime},
          least(?::float8, ?::float8 - extract(epoch from now() - s.created_at))::float8 as remaining_s`,
      [hash, id, ...this.#lifetimes()],
    );
    return user;
  }

  /**
   * Takes away what a user has beyond `SESSIONS_PER_USER`: first those that are over, then those last used longest ago.
   * Logins at once find the same ones, so that together they end no more than needed.
   */
  deleteSurplus(em: SqlEntityManager, userId: string, limit: number): Promise<EndedSession[]> {
    return em.execute<EndedSession[]>(
      `delete from sessions where id in (
          select id from sessions where user_id = ?
          order by created_at > now() - make_interval(secs => ?) desc, last_used_at desc, id desc offset ? limit ?
        ) returning id, last_used_at > now() - make_interval(secs => ?) as has_tokens`,
      [userId, this.config.SESSION_TTL_SECONDS, this.config.SESSIONS_PER_USER, limit, longestTokenSeconds],
    );
  }

  findOwner(id: string): Promise<{ user_id: string } | undefined> {
    return this.sql.row(ownerOf, [id]);
  }

  /** Living sessions, last used first; at most 100. */
  list(userId: string): Promise<SessionRow[]> {
    return this.sql.rows(listAlive, [userId, ...this.#lifetimes()]);
  }

  /** Living sessions of several users in one statement, last used first. */
  listOfMany(userIds: readonly string[], limit: number): Promise<(SessionRow & { user_id: string })[]> {
    return this.sql.rows(listAliveOfMany, [userIds, ...this.#lifetimes(), limit]);
  }

  #lifetimes(): [idleSeconds: number, absoluteSeconds: number] {
    return [this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS];
  }
}

const serviceOf = (caller: Principal): string | null => (caller.kind === 'service' ? caller.name : null);
