import { Injectable, type OnModuleInit } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';
import { Sql, type Statement, Sweeper } from '#libs/platform/database';
import { UserTurns } from '#libs/users';

/** So many failures cost nothing: people mistype. */
const freeFailures = 5;
/** One second after the first that counts, doubled by each further one. */
const longestDelaySeconds = 900;
const forgottenAfterSeconds = 86_400;

/** Counts a failure, as a statement or a part of one; `$1` to `$5` are `failureValues`. */
export const countFailure = `insert into login_delays as d (subject, device, failures, delayed_until, last_failed_at)
    values ($1, $2, 1, now(), now())
    on conflict (subject, device) do update set
      failures = case when d.last_failed_at < now() - make_interval(secs => $5) then 1 else least(d.failures + 1, 64) end,
      delayed_until = case when d.last_failed_at < now() - make_interval(secs => $5) or d.failures < $3 then now()
        else now() + make_interval(secs => least($4::float8, power(2::float8, d.failures - $3))) end,
      last_failed_at = now()
    where d.delayed_until <= now()`;
const fail: Statement = { name: 'login-fail', text: countFailure };
/** Forgets the failures of the subject `$1` and the device `$2`, unless they still delay it. */
export const forgetFailures = `delete from login_delays where subject = $1 and device = $2 and delayed_until <= now()`;
/** A row if the subject `$1` is delayed for the device `$2`. */
export const runningDelay = `select from login_delays where subject = $1 and device = $2 and delayed_until > now()`;
const clear: Statement = {
  name: 'login-clear',
  text: `with cleared as (${forgetFailures}) select exists (${runningDelay}) as is_delayed`,
};

/** Who is trying: an account, from a device that has succeeded before or from any other. */
export type Attempt = { readonly subject: string; readonly device: string };

export const failureValues = ({ subject, device }: Attempt): readonly unknown[] => [
  subject,
  device,
  freeFailures,
  longestDelaySeconds,
  forgottenAfterSeconds,
];

/** Exponential delays per account and device, in the database: the same on every replica, and after a restart. */
@Injectable()
export class LoginDelaysRepository implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly master: MasterKey,
    private readonly sweeper: Sweeper,
    private readonly turns: UserTurns,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerOutlived({
      table: 'login_delays',
      condition: 'last_failed_at < now() - make_interval(secs => ?)',
      values: [forgottenAfterSeconds],
    });
  }

  /** What failures of a name that nobody has are counted under. */
  subjectOf(name: string): string {
    const hex = this.master.mac('login-subject', name).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** Counts a failure; while the account is delayed, further ones do not make it longer. */
  async fail(attempt: Attempt): Promise<void> {
    await this.turns.take(attempt.subject, () => this.sql.rows(fail, failureValues(attempt)));
  }

  /** After a right password: forgets the failures, unless they delay this attempt too. */
  async succeed({ subject, device }: Attempt): Promise<'admitted' | 'delayed'> {
    const row = await this.turns.take(subject, () => this.sql.row<{ is_delayed: boolean }>(clear, [subject, device]));
    return row?.is_delayed === true ? 'delayed' : 'admitted';
  }
}
