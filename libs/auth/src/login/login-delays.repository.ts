import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { addressKeys } from '#libs/platform/access';
import { MasterKey } from '#libs/platform/crypto';
import { Sql, type Statement, Sweeper } from '#libs/platform/database';
import { UserTurns } from '#libs/users';

import { unknownDevice } from './device-cookie.js';
import { countFailure, forgetFailures, keptSeconds, runningDelay } from './login-delays.sql.js';

const fail: Statement = { name: 'login-fail', text: `with ${countFailure} select` };
const clear: Statement = {
  name: 'login-clear',
  text: `with cleared as (${forgetFailures}) select exists (${runningDelay}) as is_delayed`,
};

/** Under which counter strangers to an account count together; no device and no session has this id. */
const accountCounter = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * What a login counts against. `source` is who tries: a device that has signed in before, a session, or else an address.
 * An address counts with its `network` (IPv6) and with all other strangers to the account too.
 */
export type Attempt = {
  readonly subject: string;
  readonly source: string;
  readonly network: string | null;
  readonly account: string | null;
};

/** `$1` to `$4` of the statements. */
export const attemptValues = ({ subject, source, network, account }: Attempt): readonly unknown[] => [
  subject,
  source,
  network,
  account,
];

/** Exponential delays of logins, in the database: the same on every replica, and after a restart. See ADR 19. */
@Injectable()
export class LoginDelaysRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly master: MasterKey,
    private readonly sweeper: Sweeper,
    private readonly turns: UserTurns,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({
      table: 'login_delays',
      condition: 'last_failed_at < now() - make_interval(secs => ?)',
      values: [keptSeconds],
    });
  }

  /** What failures of a name that nobody has are counted under. */
  subjectOf(name: string): string {
    return this.#toUuid('login-subject', name);
  }

  /** A login at the front door. @param device `unknownDevice` unless the cookie of the account came with it */
  attemptFrom(subject: string, device: string, ip: string): Attempt {
    if (device !== unknownDevice) return ofOneself(subject, device);
    const counterOf = (address: string): string => this.#toUuid('login-address', `${subject} ${address}`);
    // a network of IPv6 and the household it belongs to; an IPv4 address has no wider network that is one party's
    const [near = ip, household] = addressKeys(ip);
    const network = household === undefined ? null : counterOf(household);
    return { subject, source: counterOf(near), network, account: accountCounter };
  }

  /** Of somebody who is signed in: whoever stole a session slows nobody but themselves. */
  attemptWithin(sessionId: string, userId: string): Attempt {
    return ofOneself(userId, sessionId);
  }

  /** Counts a failure; while the attempt is delayed, further ones do not make it longer. */
  async fail(attempt: Attempt): Promise<void> {
    await this.turns.take(attempt.subject, () => this.sql.rows(fail, attemptValues(attempt)));
  }

  /** After a right password: forgets the failures of this source, unless this attempt is delayed. */
  async succeed(attempt: Attempt): Promise<'admitted' | 'delayed'> {
    const row = await this.turns.take(attempt.subject, () =>
      this.sql.row<{ is_delayed: boolean }>(clear, attemptValues(attempt)),
    );
    return row?.is_delayed === true ? 'delayed' : 'admitted';
  }

  /** Forgets all failures of an account, from wherever. */
  async lift(em: SqlEntityManager, userId: string): Promise<void> {
    await em.execute('delete from login_delays where subject = ?', [userId]);
  }

  #toUuid(purpose: string, text: string): string {
    const hex = this.master.mac(purpose, text).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

const ofOneself = (subject: string, source: string): Attempt => ({ subject, source, network: null, account: null });
