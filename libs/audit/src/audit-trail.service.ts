import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { callerName, type Origin } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';

import { AuditEntity } from './audit.entity.js';

export type AuditEvent = {
  readonly event:
    | 'login-succeeded'
    | 'login-failed'
    | 'logged-out'
    | 'refresh-token-reused'
    | 'session-ended'
    | 'token-revoked'
    | 'password-changed'
    | 'user-created'
    | 'user-deactivated'
    | 'user-activated'
    | 'user-deleted'
    | 'roles-changed'
    | 'key-created'
    | 'key-retired'
    | 'all-revoked';
  /** Whom it is about, if it is about a user. */
  readonly userId?: string | undefined;
  /** Never a secret, never a password. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
};

/** Records security events: in the transaction of their cause where there is one. */
@Injectable()
export class AuditTrail {
  constructor(private readonly em: SqlEntityManager) {}

  async record(event: AuditEvent, origin: Origin | 'operator', em: SqlEntityManager = this.em.fork()): Promise<void> {
    const from =
      origin === 'operator'
        ? { caller: origin }
        : {
            caller: callerName(origin.caller),
            ip: origin.ip,
            userAgent: origin.userAgent,
            requestId: origin.requestId,
          };
    await em.insert(AuditEntity, { id: uuidV7(), ...event, ...from });
  }
}
