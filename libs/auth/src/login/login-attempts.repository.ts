import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { AuditTrail, auditValues } from '#libs/security/audit';
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
import {
  admit,
  admitAndTell,
  clear,
  fail,
  forget,
  isDelayed,
  keptSeconds,
  lockVerified,
  personalData,
  refuse,
} from './login-attempts.sql.js';
import { NewSignIns } from './new-sign-ins.service.js';

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

/** A password that was verified, and what is kept when a second factor has to follow. */
export type Verified = {
  readonly passwordHash: string;
  readonly challengeHash: Buffer;
  /** Whom the tokens are to be for, as it was asked for. */
  readonly audience: string | undefined;
};

export type AdmittedLogin = TokenSubject & { readonly wasFull: boolean };
/** `isUnconfirmed`: all was right, but for the address. */
type Outcome = { readonly hasKey: boolean; readonly isChallenged: boolean; readonly isUnconfirmed: boolean } & (
  | Omit<AdmittedLogin, 'clientId' | 'secondsLeft'>
  | { readonly userId: null }
);

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
    private readonly master: MasterKey,
    private readonly trail: AuditTrail,
    private readonly turns: UserTurns,
    private readonly newSignIns: NewSignIns,
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
   * Begins the session, or writes the challenge when a second factor has to follow. Nothing when
   * the account is delayed, gone, deactivated or has another password than the one verified.
   * @throws AppError `unavailable` when the key was retired meanwhile; `email-not-verified`
   */
  async admit(
    session: NewSession,
    attempt: LoginAttempt,
    { passwordHash, challengeHash, audience }: Verified,
    source: RequestSource,
  ): Promise<AdmittedLogin | 'challenged' | undefined> {
    const { id, refreshHash, clientId, keyId } = session;
    const userId = attempt.subject;
    const told = this.newSignIns.valuesOf({ userId, sessionId: id }, attempt, source);
    const begun = [passwordHash, id, refreshHash, source.userAgent ?? null, source.ip, clientId];
    const values = [
      ...valuesOf(attempt),
      ...begun,
      ...auditValues({ event: 'login-succeeded', userId }, source),
      ...auditValues({ event: 'login-failed', userId }, source),
      keyId,
      this.config.SESSIONS_PER_USER,
      ...this.#declared,
      challengeHash,
      audience ?? null,
      ...auditValues({ event: 'login-challenged', userId }, source),
      this.config.EMAIL_VERIFICATION === 'login',
      ...(told ?? []),
    ];
    const statement = told ? admitAndTell : admit;
    const outcome = await this.turns.take(userId, () => this.sql.row<Outcome>(statement, values));
    assertHasKey(outcome);
    if (outcome.userId === null) {
      const event = outcome.isChallenged ? 'login-challenged' : 'login-failed';
      this.trail.tell({ event, userId }, source);
      if (outcome.isUnconfirmed) throw new AppError('email-not-verified');
      return outcome.isChallenged ? 'challenged' : undefined;
    }
    if (told) this.newSignIns.wake();
    this.trail.tell({ event: 'login-succeeded', userId }, source);
    return { ...outcome, clientId, secondsLeft: this.secondsOfNew };
  }

  /** Seconds until a session ends that begins now and is never refreshed. */
  get secondsOfNew(): number {
    return Math.min(this.config.SESSION_IDLE_SECONDS, this.config.SESSION_TTL_SECONDS);
  }

  /**
   * Locks the user of an attempt if they are active and have the password that was verified, if one
   * was. Take the turn of the user before the transaction. @returns whether it is so
   */
  async lockWithin(em: SqlEntityManager, { subject }: LoginAttempt, passwordHash?: string): Promise<boolean> {
    return (await em.execute<unknown[]>(lockVerified, [subject, passwordHash ?? null])).length > 0;
  }

  async isDelayed(em: SqlEntityManager, attempt: LoginAttempt): Promise<boolean> {
    const [row] = await em.execute<{ is_delayed: boolean }[]>(isDelayed, [...valuesOf(attempt)]);
    return row?.is_delayed === true;
  }

  /** Forgets the failures of this source; after the password not where a code has to follow. */
  async forgetWithin(em: SqlEntityManager, attempt: LoginAttempt, given: 'password' | 'code'): Promise<void> {
    const { subject, source } = attempt;
    await em.execute(forget[given], given === 'code' ? [subject, source] : [subject, source, subject]);
  }

  /** As `refuse`, for those who have the turn of the subject. */
  async refuseInTurn(attempt: LoginAttempt, userId: string | undefined, source: RequestSource): Promise<void> {
    const event = { event: 'login-failed', userId } as const;
    await this.sql.rows(refuse, [...valuesOf(attempt), ...auditValues(event, source)]);
    this.trail.tell(event, source);
  }

  /** As `fail`, for those who have the turn of the subject. */
  async failInTurn(attempt: LoginAttempt): Promise<void> {
    await this.sql.rows(fail, valuesOf(attempt));
  }

  /** Counts a failed login and records it; `userId` when the name is somebody's. */
  async refuse(attempt: LoginAttempt, userId: string | undefined, source: RequestSource): Promise<void> {
    await this.turns.take(attempt.subject, () => this.refuseInTurn(attempt, userId, source));
  }

  /** Counts a failure; while the attempt is delayed, further ones do not make the delay longer. */
  async fail(attempt: LoginAttempt): Promise<void> {
    await this.turns.take(attempt.subject, () => this.failInTurn(attempt));
  }

  /** After a right password: forgets the failures of this source unless it is delayed. */
  async succeed(attempt: LoginAttempt): Promise<'admitted' | 'delayed'> {
    const row = await this.turns.take(attempt.subject, () =>
      this.sql.row<{ is_delayed: boolean }>(clear, valuesOf(attempt)),
    );
    return row?.is_delayed === true ? 'delayed' : 'admitted';
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

/** @throws AppError `unavailable`: a key was retired since it was chosen */
export function assertHasKey<T extends { readonly hasKey: boolean }>(outcome: T | undefined): asserts outcome is T {
  if (!outcome?.hasKey) throw new AppError('unavailable', { headers: { 'retry-after': '1' } });
}
