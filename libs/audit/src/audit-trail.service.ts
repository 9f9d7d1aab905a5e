import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { callerName, type Origin } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { uuidV7 } from '#libs/platform/crypto';
import { Sweeper } from '#libs/platform/database';

import type { AuditEvent } from './audit-event.js';
import { AuditEntity } from './audit.entity.js';

const daySeconds = 86_400;

type AuditOrigin = (Pick<Origin, 'caller'> & Partial<Origin>) | 'operator';

/** Records security events: in the transaction of their cause where there is one. */
@Injectable()
export class AuditTrail implements OnModuleInit {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly sweeper: Sweeper,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerOutlived({
      table: 'audit_events',
      condition: 'at < now() - make_interval(secs => ?)',
      values: [this.config.AUDIT_RETENTION_DAYS * daySeconds],
    });
  }

  /** @param origin the request, or `operator` for the command line and for what happens by schedule */
  async record(event: AuditEvent, origin: AuditOrigin, em: SqlEntityManager = this.em.fork()): Promise<void> {
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
