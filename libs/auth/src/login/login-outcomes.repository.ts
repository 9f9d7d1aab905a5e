import { Injectable } from '@nestjs/common';

import { auditInsert, AuditTrail, auditValues } from '#libs/audit';
import type { Origin, Role } from '#libs/platform/access';
import { Sql, type Statement } from '#libs/platform/database';
import { UserTurns } from '#libs/users';

import { type Attempt, countFailure, failureValues, forgetFailures, runningDelay } from './login-delays.repository.js';

/** The session that a login begins; `passwordHash` is the one that was verified. */
export type NewSession = {
  readonly id: string;
  readonly userId: string;
  readonly passwordHash: string;
  readonly refreshHash: Buffer;
  readonly clientId: string;
};
type Admitted = { readonly user_id: string; readonly roles: readonly Role[]; readonly token_generation: number };

const details = 'null::jsonb';

/**
 * The user is share-locked and the verified hash compared again, so that no deactivation or change slips between. An
 * account that is delayed for this device keeps its delay.
 */
const admit: Statement = {
  name: 'login-admit',
  text: `with cleared as (${forgetFailures}), u as (
      select id, roles, token_generation, session_generation from users
      where id = $1 and status = 'active' and password_hash = $3
        and not exists (${runningDelay})
      for share
    ), s as (
      insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id)
      select $4, u.id, u.session_generation, $5, $6, $7, $8 from u returning user_id
    ), admitted as (${auditInsert({ from: 's', firstParameter: 9, details })}
    ), refused as (${auditInsert({ from: '(select where not exists (select from s)) as nobody', firstParameter: 16, details })})
    select u.id as user_id, u.roles, u.token_generation from u join s on s.user_id = u.id`,
};
const refuse: Statement = {
  name: 'login-refuse',
  text: `with counted as (${countFailure})
    ${auditInsert({ from: '(select) as one', firstParameter: 6, details })}`,
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
  ) {}

  /** Begins the session; nothing when the account is delayed, gone, deactivated or has another password by now. */
  async admit(session: NewSession, { device }: Attempt, origin: Origin): Promise<Admitted | undefined> {
    const { id, userId, passwordHash, refreshHash, clientId } = session;
    const values = [
      userId,
      device,
      passwordHash,
      id,
      refreshHash,
      origin.userAgent ?? null,
      origin.ip,
      clientId,
      ...auditValues({ event: 'login-succeeded', userId }, origin),
      ...auditValues({ event: 'login-failed', userId }, origin),
    ];
    const admitted = await this.turns.take(userId, () => this.sql.row<Admitted>(admit, values));
    this.trail.tell({ event: admitted ? 'login-succeeded' : 'login-failed', userId }, origin);
    return admitted;
  }

  /** Counts a failure; `userId` if the name is somebody's. */
  async refuse(attempt: Attempt, userId: string | undefined, origin: Origin): Promise<void> {
    const event = { event: 'login-failed', userId } as const;
    const values = [...failureValues(attempt), ...auditValues(event, origin)];
    await this.turns.take(attempt.subject, () => this.sql.rows(refuse, values));
    this.trail.tell(event, origin);
  }
}
