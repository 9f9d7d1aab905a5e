import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import type { Principal, RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { byPages, type Expired, rfc3339Sql, Sql, type Statement } from '#libs/platform/database';
import { UserTurns } from '#libs/users';

import { sourcesOf } from '../tokens/declared-claims.js';
import type { TokenSubject } from '../tokens/token-issuer.service.js';
import type { SessionView } from './sessions.schema.js';

export type StoredSession = Omit<SessionView, 'isCurrent'>;

/** A session that was ended, and whether access tokens of it may still be good. */
export type EndedSession = { readonly id: string; readonly has_tokens: boolean };

/** Which of a user's sessions. */
export type SessionSelection = { readonly only: string } | { readonly except: string } | 'all';

/** The living session that a refresh token keeps going; `issuedSeconds` in Unix seconds. */
export type RefreshableSession = {
  readonly userId: string;
  /** As in a `TokenSubject`. */
  readonly subject: string | null;
  readonly clientId: string;
  readonly issuedSeconds: number;
  readonly secondsLeft: number;
};

/** The longest `ACCESS_TOKEN_TTL_SECONDS`, and a minute for clocks that differ. */
const longestTokenSeconds = 86_400 + 60;
/** A row outlives its session by a day: every access token of it has expired by then. */
const keptLongerSeconds = 86_400;

/**
 * A service that shows its key can refresh its own sessions only (RFC 6749 §10.4); a caller without
 * a key can refresh any.
 */
const isOfClient = (service: string): string => `(${service}::text is null or s.client_id = ${service})`;
/** $2 idle and $3 absolute lifetime in seconds. */
const isAlive = `s.last_used_at > now() - make_interval(secs => $2) and s.created_at > now() - make_interval(secs => $3)
  and u.status = 'active' and s.generation = u.session_generation`;
const secondsLeft = `least($2::float8, $3::float8 - extract(epoch from now() - s.created_at))::float8 as "secondsLeft"`;

/**
 * What claims are declared from, of the user `u`; the parameters say of each whether any is. What
 * is not asked for is not even fetched from where PostgreSQL keeps large values.
 */
export const declaredSources = (profile: string, metadata: string): string =>
  `case when ${profile} then u.profile end as profile, case when ${metadata} then u.metadata end as metadata`;

/** A `TokenSubject` but for `secondsLeft`. Every session begins with the password. */
export const subject = (profile: string, metadata: string): string => `u.id as "userId", u.subject, u.roles,
  ${declaredSources(profile, metadata)}, u.token_generation as "tokenGeneration", s.client_id as "clientId", s.amr,
  floor(extract(epoch from coalesce(s.authenticated_at, s.created_at)))::float8 as "authTime"`;

/** For a session that is not used now. `idle` and `absolute` are parameters in seconds. */
export const unusedSecondsLeft = (idle: string, absolute: string): string =>
  `least(${idle}::float8 - extract(epoch from now() - s.last_used_at),
    ${absolute}::float8 - extract(epoch from now() - s.created_at))::float8 as "secondsLeft"`;

const rotate: Statement = {
  name: 'session-rotate',
  text: `update sessions s set previous_hash = s.current_hash, current_hash = $5, rotation = s.rotation + 1,
      previous_rotated_at = s.last_used_at, last_used_at = now(), user_agent = coalesce($6, s.user_agent), ip = $7
    from users u where s.id = $1 and s.current_hash = $4 and u.id = s.user_id and ${isAlive} and ${isOfClient('$8')}
    returning ${subject('$9', '$10')}, ${secondsLeft}`,
};
const retried: Statement = {
  name: 'session-retried',
  text: `select ${subject('$8', '$9')}, ${unusedSecondsLeft('$2', '$3')}
    from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.previous_hash = $4 and s.current_hash = $5
      and s.last_used_at > now() - make_interval(secs => $6) and ${isAlive} and ${isOfClient('$7')}`,
};
const ownerOf: Statement = {
  text: 'select user_id from sessions where id = $1',
};
/**
 * The user of a session when its token of the rotation $2 was used longer ago than the grace, $3 in
 * seconds. The time is known for the last two rotations; older ones count as used long ago.
 */
const ownerIfReused: Statement = {
  text: `select user_id from sessions where id = $1 and rotation > $2 and not coalesce(
    case rotation - $2 when 1 then last_used_at when 2 then previous_rotated_at end > now() - make_interval(secs => $3),
    false)`,
};
const byToken: Statement = {
  name: 'session-by-token',
  text: `select u.id as "userId", u.subject, s.client_id as "clientId", extract(epoch from s.last_used_at)::float8 as "issuedSeconds",
      ${unusedSecondsLeft('$2', '$3')}
    from sessions s join users u on u.id = s.user_id where s.id = $1 and s.current_hash = $4 and ${isAlive}`,
};
/** A `SessionView` but for `isCurrent`. */
const view = `s.id, ${rfc3339Sql('s.created_at')} as "createdAt", ${rfc3339Sql('s.last_used_at')} as "lastUsedAt",
  s.user_agent as "userAgent", s.ip`;
const listAlive: Statement = {
  text: `select ${view}
    from sessions s join users u on u.id = s.user_id where s.user_id = $1 and ${isAlive}
    order by s.last_used_at desc, s.id desc limit 100`,
};

/** As `listAlive` for several users, at most $4 of each. */
const listAliveOfMany: Statement = {
  text: `select wanted.id as "userId", alive.* from unnest($1::uuid[]) as wanted (id) cross join lateral (
      select ${view}
      from sessions s join users u on u.id = s.user_id where s.user_id = wanted.id and ${isAlive}
      order by s.last_used_at desc, s.id desc limit $4
    ) alive order by alive."lastUsedAt" desc, alive.id desc`,
};

const personalData: Statement = {
  text: `select ${view}, s.client_id as "clientId"
    from sessions s where s.user_id = $1 and ($2::uuid is null or s.id > $2) order by s.id limit $3`,
};

/** Hashes of a token and of the one that comes in its place. */
type Rotation = { readonly parent: Buffer; readonly child: Buffer };

/** Each step is one statement, so that parallel refreshes wait for the row and nothing else. */
@Injectable()
export class SessionsRepository {
  readonly #declared: readonly [boolean, boolean];

  constructor(
    private readonly sql: Sql,
    private readonly turns: UserTurns,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#declared = sourcesOf(config.TOKEN_CLAIMS);
  }

  /** Replaces the current token; nothing when `parent` is not that of a living session. */
  rotate(
    id: string,
    { parent, child }: Rotation,
    { caller, userAgent, ip }: RequestSource,
  ): Promise<TokenSubject | undefined> {
    const values = [
      id,
      ...this.#lifetimes(),
      parent,
      child,
      userAgent ?? null,
      ip,
      serviceOf(caller),
      ...this.#declared,
    ];
    return this.turns.take(id, () => this.sql.row(rotate, values));
  }

  /** Whether the parent was rotated into just this child within the grace. */
  findRetried(id: string, { parent, child }: Rotation, { caller }: RequestSource): Promise<TokenSubject | undefined> {
    const { REFRESH_GRACE_SECONDS } = this.config;
    const values = [id, ...this.#lifetimes(), parent, child, REFRESH_GRACE_SECONDS, serviceOf(caller)];
    return this.sql.row(retried, [...values, ...this.#declared]);
  }

  /** The user of a session whose token of this rotation was used longer ago than the grace. */
  async findOwnerIfReused(id: string, rotation: number): Promise<string | undefined> {
    const values = [id, rotation, this.config.REFRESH_GRACE_SECONDS];
    return (await this.sql.row<{ user_id: string }>(ownerIfReused, values))?.user_id;
  }

  /** The living session whose current token has this hash. */
  findByToken(id: string, hash: Buffer): Promise<RefreshableSession | undefined> {
    return this.sql.row(byToken, [id, ...this.#lifetimes(), hash]);
  }

  /** How many tokens the family had; locks the session until the transaction ends. */
  async lockRotation(em: SqlEntityManager, id: string): Promise<number | undefined> {
    const text = 'select rotation from sessions where id = ? for update';
    const [row] = await em.execute<{ rotation: number }[]>(text, [id]);
    return row?.rotation;
  }

  /** Replaces the current token, which gets no grace. The user has just given the password. */
  async renew(em: SqlEntityManager, id: string, hash: Buffer): Promise<TokenSubject | undefined> {
    const [renewed] = await em.execute<TokenSubject[]>(
      `update sessions s set previous_hash = null, current_hash = ?, rotation = s.rotation + 1,
          previous_rotated_at = s.last_used_at, last_used_at = now(), authenticated_at = now()
        from users u where s.id = ? and u.id = s.user_id
        returning ${subject('?', '?')},
          least(?::float8, ?::float8 - extract(epoch from now() - s.created_at))::float8 as "secondsLeft"`,
      [hash, id, ...this.#declared, ...this.#lifetimes()],
    );
    return renewed;
  }

  /**
   * Deletes what a user has beyond `SESSIONS_PER_USER`: first those that are over, then those last
   * used longest ago. Logins at once find the same ones, and together end no more than needed.
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

  /** Deletes the sessions that a service has begun. */
  deleteOfClient(em: SqlEntityManager, clientId: string): Promise<EndedSession[]> {
    return em.execute<EndedSession[]>(
      `delete from sessions where client_id = ?
        returning id, last_used_at > now() - make_interval(secs => ?) as has_tokens`,
      [clientId, longestTokenSeconds],
    );
  }

  /** @returns the ids of the sessions that were there */
  async delete(em: SqlEntityManager, userId: string, which: SessionSelection): Promise<readonly string[]> {
    const { text, values } = conditionOf(which);
    const rows = await em.execute<{ id: string }[]>(`delete from sessions where user_id = ? ${text} returning id`, [
      userId,
      ...values,
    ]);
    return rows.map(({ id }) => id);
  }

  async findOwner(id: string): Promise<string | undefined> {
    return (await this.sql.row<{ user_id: string }>(ownerOf, [id]))?.user_id;
  }

  /** Living sessions, last used first; at most 100. */
  list(userId: string): Promise<StoredSession[]> {
    return this.sql.rows(listAlive, [userId, ...this.#lifetimes()]);
  }

  /** Living sessions of several users in one statement, last used first. */
  listOfMany(userIds: readonly string[], limit: number): Promise<(StoredSession & { readonly userId: string })[]> {
    return this.sql.rows(listAliveOfMany, [userIds, ...this.#lifetimes(), limit]);
  }

  /** All that is kept of a user's sessions, as they may read it. */
  exportOf(userId: string): AsyncGenerator<{ readonly id: string }> {
    return byPages(this.sql, personalData, userId);
  }

  /** Which rows have outlived their use. */
  get expired(): Expired {
    const [idle, absolute] = this.#lifetimes();
    return {
      table: 'sessions',
      condition: 'last_used_at < now() - make_interval(secs => ?) or created_at < now() - make_interval(secs => ?)',
      values: [idle + keptLongerSeconds, absolute + keptLongerSeconds],
    };
  }

  #lifetimes(): [idleSeconds: number, absoluteSeconds: number] {
    return [this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS];
  }
}

const serviceOf = (caller: Principal): string | null => (caller.kind === 'service' ? caller.name : null);

function conditionOf(which: SessionSelection): { text: string; values: readonly string[] } {
  if (which === 'all') return { text: '', values: [] };
  return 'only' in which
    ? { text: 'and id = ?', values: [which.only] }
    : { text: 'and id <> ?', values: [which.except] };
}
