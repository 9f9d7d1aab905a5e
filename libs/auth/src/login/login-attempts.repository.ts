import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { type Actor, AuditTrail, auditValues } from '#libs/security/audit';
import { addressKeys, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { MasterKey } from '#libs/platform/crypto';
import { byPages, type Expired, Sql } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { UserTurns } from '#libs/users';

import type { NewSession } from '../sessions/sessions.service.js';
import { sourcesOf } from '../tokens/declared-claims.js';
import type { TokenSubject } from '../tokens/token-issuer.service.js';
import { unknownDevice } from './device-cookie.js';
import { admit, clear, confirm, fail, keptSeconds, personalData, refuse } from './login-attempts.sql.js';

/** The counter that all strangers to an account share; no device and no session has this id. */
const accountCounter = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * What a login counts against. `subject` is the user, or stands for a name that nobody has.
 * `source` is who tries: a known device, a session, or else an address. An address counts with its
 * `network` (IPv6) and with all other strangers to the account too.
 */
export type LoginAttempt = {
  readonly subject: string;
  readonly source: string;
  readonly network: string | null;
  readonly account: string | null;
};

/** `isUnconfirmed`: all was right, but for the address. */
type Outcome<Admitted> = { readonly hasKey: boolean; readonly isUnconfirmed?: boolean } & (
  | Admitted
  | { readonly userId: null }
);
type AdmittedLogin = Omit<TokenSubject, 'clientId' | 'secondsLeft'> & { readonly wasFull: boolean };

/**
 * Attempts to sign in, and what they leave behind: a session or a failure, the delay of the next
 * attempt, the audit row. A login is one statement whatever the outcome, so that the time of a
 * refusal reveals nothing. It writes tables of auth, and the audit row by `auditInsert`. Delays are
 * the same on every replica, and after a restart (ADR 19).
 */
@Injectable()
export class LoginAttemptsRepository {
  /** Which rows have outlived their use. */
  readonly expired: Expired = {
    table: 'login_delays',
    condition: 'last_failed_at < now() - make_interval(secs => ?)',
    values: [keptSeconds],
  };
  readonly #declared: readonly [boolean, boolean];

  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
    private readonly master: MasterKey,
    private readonly trail: AuditTrail,
    private readonly turns: UserTurns,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#declared = sourcesOf(config.TOKEN_CLAIMS);
  }

  /** What failures of a name that nobody has are counted under. */
  subjectOf(name: string): string {
    return this.#toUuid('login-subject', name);
  }

  /** @param device that of the account's cookie, else `unknownDevice` */
  attemptFrom(subject: string, device: string, ip: string): LoginAttempt {
    if (device !== unknownDevice) return { subject, source: device, network: null, account: null };
    const counterOf = (address: string): string => this.#toUuid('login-address', `${subject} ${address}`);
    // IPv4 addresses have no wider network that belongs to one party
    const [near = ip, household] = addressKeys(ip);
    const network = household === undefined ? null : counterOf(household);
    return { subject, source: counterOf(near), network, account: accountCounter };
  }

  /** An attempt of somebody who is signed in: a thief of the session slows nobody else. */
  attemptWithin(sessionId: string, userId: string): LoginAttempt {
    return { subject: userId, source: sessionId, network: null, account: null };
  }

  /**
   * Begins the session; nothing when the account is delayed, gone, deactivated or has another
   * password than the one verified.
   * @throws AppError `unavailable` when the key was retired meanwhile; `email-not-verified`
   */
  async admit(
    { id, refreshHash, clientId, keyId }: NewSession,
    attempt: LoginAttempt,
    passwordHash: string,
    source: RequestSource,
  ): Promise<(TokenSubject & { readonly wasFull: boolean }) | undefined> {
    const { SESSIONS_PER_USER, SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS, EMAIL_VERIFICATION } = this.config;
    const userId = attempt.subject;
    const session = [passwordHash, id, refreshHash, source.userAgent ?? null, source.ip, clientId];
    const values = [
      ...valuesOf(attempt),
      ...session,
      ...auditValues({ event: 'login-succeeded', userId }, source),
      ...auditValues({ event: 'login-failed', userId }, source),
      keyId,
      SESSIONS_PER_USER,
      ...this.#declared,
      EMAIL_VERIFICATION === 'login',
    ];
    const outcome = await this.turns.take(userId, () => this.sql.row<Outcome<AdmittedLogin>>(admit, values));
    assertHasKey(outcome);
    const admitted = outcome.userId === null ? undefined : outcome;
    this.trail.tell({ event: admitted ? 'login-succeeded' : 'login-failed', userId }, source);
    if (outcome.isUnconfirmed) throw new AppError('email-not-verified');
    return admitted && { ...admitted, clientId, secondsLeft: Math.min(SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS) };
  }

  /**
   * Records that the user of a session has just given the password; nothing for the reasons of
   * `admit`. @throws AppError `unavailable` when the key was retired meanwhile
   */
  async confirm(
    { id, keyId }: Pick<NewSession, 'id' | 'keyId'>,
    attempt: LoginAttempt,
    passwordHash: string,
    source: RequestSource,
  ): Promise<TokenSubject | undefined> {
    const event = { event: 'reauthenticated', userId: attempt.subject } as const;
    const lifetimes = [this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS];
    const given = [...valuesOf(attempt), passwordHash, id];
    const values = [...given, ...auditValues(event, source), keyId, ...lifetimes, ...this.#declared];
    const outcome = await this.turns.take(attempt.subject, () => this.sql.row<Outcome<TokenSubject>>(confirm, values));
    assertHasKey(outcome);
    if (outcome.userId === null) return undefined;
    this.trail.tell(event, source);
    return outcome;
  }

  /** Counts a failed login and records it; `userId` when the name is somebody's. */
  async refuse(attempt: LoginAttempt, userId: string | undefined, source: RequestSource): Promise<void> {
    const event = { event: 'login-failed', userId } as const;
    const values = [...valuesOf(attempt), ...auditValues(event, source)];
    await this.turns.take(attempt.subject, () => this.sql.rows(refuse, values));
    this.trail.tell(event, source);
  }

  /** Counts a failure; while the attempt is delayed, further ones do not make the delay longer. */
  async fail(attempt: LoginAttempt): Promise<void> {
    await this.turns.take(attempt.subject, () => this.sql.rows(fail, valuesOf(attempt)));
  }

  /** After a right password: forgets the failures of this source unless it is delayed. */
  async succeed(attempt: LoginAttempt): Promise<'admitted' | 'delayed'> {
    const row = await this.turns.take(attempt.subject, () =>
      this.sql.row<{ is_delayed: boolean }>(clear, valuesOf(attempt)),
    );
    return row?.is_delayed === true ? 'delayed' : 'admitted';
  }

  /** Lets a user sign in again at once whom guesses of others, or their own, have slowed. */
  liftDelay(userId: string, by: Actor): Promise<void> {
    return this.em.fork().transactional(async (em) => {
      await this.forgetFailures(em, userId);
      await this.trail.record({ event: 'login-delay-lifted', userId }, by, em);
    });
  }

  /** Forgets all failures of an account, whoever made them. */
  async forgetFailures(em: SqlEntityManager, userId: string): Promise<void> {
    await em.execute('delete from login_delays where subject = ?', [userId]);
  }

  /** All that is kept of a user's failed logins, as they may read it. */
  async *exportOf(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...failure } of byPages(this.sql, personalData, userId)) yield failure;
  }

  #toUuid(purpose: string, text: string): string {
    const hex = this.master.mac(purpose, text).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

/** `$1` to `$4` of the statements. */
function valuesOf({ subject, source, network, account }: LoginAttempt): readonly unknown[] {
  return [subject, source, network, account];
}

function assertHasKey<T>(outcome: Outcome<T> | undefined): asserts outcome is Outcome<T> {
  if (!outcome?.hasKey) throw new AppError('unavailable', { headers: { 'retry-after': '1' } });
}
