import { Inject, Injectable } from '@nestjs/common';

import { auditInsert, AuditTrail, auditValues } from '#libs/security/audit';
import { type RequestSource, ownClientId, type Role } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { Sql, type Statement } from '#libs/platform/database';
import { UserTurns } from '#libs/users';
import { AppError } from '#libs/platform/errors';

import { remainingUnused, type SessionUser } from '../sessions/sessions.repository.js';
import { type Attempt, attemptValues } from './login-delays.repository.js';
import { countFailure, forgetFailures, runningDelay } from './login-delays.sql.js';

/** The session that a login begins; `passwordHash` is the one that was verified. */
export type NewSession = {
  readonly id: string;
  readonly userId: string;
  readonly passwordHash: string;
  readonly refreshHash: Buffer;
  readonly clientId: string;
  /** The key that its first access token will be signed with. */
  readonly keyId: string;
};
type Admitted = {
  readonly user_id: string;
  readonly roles: readonly Role[];
  readonly token_generation: number;
  readonly auth_time: number;
  /** Whether there were `SESSIONS_PER_USER` sessions before this one. */
  readonly was_full: boolean;
};
type Confirmed = { readonly has_key: boolean } & (SessionUser | { readonly user_id: null });
type Outcome = { readonly has_key: boolean } & (Admitted | { readonly user_id: null });

const details = 'null::jsonb';
const authTime = 'floor(extract(epoch from s.authenticated_at))::float8 as auth_time';

/** Whoever has just given the right password, if it still is the right one and the attempt is not delayed. */
const verifiedUser = `select id, roles, token_generation, session_generation from users
      where id = $1 and status = 'active' and password_hash = $5
        and not exists (${runningDelay})
      for share`;

/**
 * The user is share-locked and the verified hash compared again, so that no deactivation or change slips between; so are
 * the signing key and the service, so that no login survives `revoke-all` or the end of its service by a moment. An
 * account that is delayed for this attempt keeps its delay. Without the key nothing is recorded: there is no answer to it.
 */
const admit: Statement = {
  name: 'login-admit',
  text: `with cleared as (${forgetFailures}), u as (${verifiedUser}), k as (
      select from signing_keys where id = $25 and retired_at is null for share
    ), c as (
      select from services where name = $10 and status = 'active' for share
    ), s as (
      insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id)
      select $6, u.id, u.session_generation, $7, $8, $9, $10 from u
      where exists (select from k) and ($10 = '${ownClientId}' or exists (select from c)) returning user_id, authenticated_at
    ), admitted as (${auditInsert({ from: 's', firstParameter: 11, details })}
    ), refused as (${auditInsert({ from: '(select where not exists (select from s) and exists (select from k)) as nobody', firstParameter: 18, details })})
    select exists (select from k) as has_key, s.user_id, u.roles, u.token_generation, ${authTime},
      (select count(*) >= $26 from (select from sessions where user_id = $1 limit $26) as before) as was_full
    from (select) as one left join s on true left join u on u.id = s.user_id`,
};
const refuse: Statement = {
  name: 'login-refuse',
  text: `with ${countFailure}
    ${auditInsert({ from: '(select) as one', firstParameter: 5, details })}`,
};
/** As `admit`, of somebody who is signed in: the session is not a new one, and refusals are recorded by their code. */
const confirm: Statement = {
  name: 'login-confirm',
  text: `with cleared as (${forgetFailures}), u as (${verifiedUser}), k as (
      select from signing_keys where id = $14 and retired_at is null for share
    ), s as (
      update sessions s set authenticated_at = now() from u
      where s.id = $6 and s.user_id = u.id and s.generation = u.session_generation and exists (select from k)
      returning s.user_id, s.client_id, s.authenticated_at, ${remainingUnused('$15', '$16')}
    ), admitted as (${auditInsert({ from: 's', firstParameter: 7, details })})
    select exists (select from k) as has_key, s.user_id, u.roles, u.token_generation, s.client_id, ${authTime}, s.remaining_s
    from (select) as one left join s on true left join u on u.id = s.user_id`,
};

/**
 * What a login leaves behind, with its audit row: one statement whatever the outcome, so that the time of a refusal
 * tells nothing, and one round trip and one commit where there were three.
 */
@Injectable()
export class LoginOutcomes {
  constructor(
    private readonly sql: Sql,
    private readonly trail: AuditTrail,
    private readonly turns: UserTurns,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Begins the session; nothing when the account is delayed, gone, deactivated or has another password by now.
   * @throws AppError `unavailable` when the key was retired meanwhile
   */
  async admit(session: NewSession, attempt: Attempt, source: RequestSource): Promise<Admitted | undefined> {
    const { id, userId, passwordHash, refreshHash, clientId, keyId } = session;
    const values = [
      ...attemptValues(attempt),
      passwordHash,
      id,
      refreshHash,
      source.userAgent ?? null,
      source.ip,
      clientId,
      ...auditValues({ event: 'login-succeeded', userId }, source),
      ...auditValues({ event: 'login-failed', userId }, source),
      keyId,
      this.config.SESSIONS_PER_USER,
    ];
    const outcome = await this.turns.take(userId, () => this.sql.row<Outcome>(admit, values));
    if (!outcome?.has_key) throw new AppError('unavailable', { headers: { 'retry-after': '1' } });
    const admitted = outcome.user_id === null ? undefined : outcome;
    this.trail.tell({ event: admitted ? 'login-succeeded' : 'login-failed', userId }, source);
    return admitted;
  }

  /**
   * Makes a session one whose user has just given the password; nothing for the reasons of `admit`.
   * @throws AppError `unavailable` when the key was retired meanwhile
   */
  async confirm(
    { id, userId, passwordHash, keyId }: Omit<NewSession, 'refreshHash' | 'clientId'>,
    attempt: Attempt,
    source: RequestSource,
  ): Promise<SessionUser | undefined> {
    const event = { event: 'reauthenticated', userId } as const;
    const lifetimes = [this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS];
    const given = [...attemptValues(attempt), passwordHash, id];
    const values = [...given, ...auditValues(event, source), keyId, ...lifetimes];
    const outcome = await this.turns.take(userId, () => this.sql.row<Confirmed>(confirm, values));
    if (!outcome?.has_key) throw new AppError('unavailable', { headers: { 'retry-after': '1' } });
    if (outcome.user_id === null) return undefined;
    this.trail.tell(event, source);
    return outcome;
  }

  /** Counts a failure; `userId` if the name is somebody's. */
  async refuse(attempt: Attempt, userId: string | undefined, source: RequestSource): Promise<void> {
    const event = { event: 'login-failed', userId } as const;
    const values = [...attemptValues(attempt), ...auditValues(event, source)];
    await this.turns.take(attempt.subject, () => this.sql.rows(refuse, values));
    this.trail.tell(event, source);
  }
}
