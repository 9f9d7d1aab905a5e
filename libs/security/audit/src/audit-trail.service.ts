import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { callerName, type Origin } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { uuidV7 } from '#libs/platform/crypto';
import { Sweeper } from '#libs/platform/database';

import type { AuditEvent } from './audit-event.js';
import { AuditEntity } from './audit.entity.js';

const daySeconds = 86_400;

export type AuditOrigin = (Pick<Origin, 'caller'> & Partial<Origin>) | 'operator';

/**
 * Records security events, in the transaction of their cause where there is one. Each row is also one line of the log, with
 * the context `Audit`, so that the trail can be kept where an administrator of this service cannot reach it.
 */
@Injectable()
export class AuditTrail implements OnModuleInit {
  readonly #logger = new Logger('Audit');

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
    await this.recordAll([event], origin, em);
  }

  /** As `record`, of several events in one statement. */
  async recordAll(events: readonly AuditEvent[], origin: AuditOrigin, em: SqlEntityManager): Promise<void> {
    if (events.length === 0) return;
    const source = sourceOf(origin);
    await em.insertMany(
      AuditEntity,
      events.map((event) => ({ id: uuidV7(), ...event, ...source })),
    );
    const tellAll = (): void => {
      for (const event of events) this.tell(event, origin);
    };
    if (!em.isInTransaction()) {
      tellAll();
      return;
    }
    // What is rolled back did not happen. The transaction has an event manager of its own, which ends with it.
    em.getEventManager().registerSubscriber({ afterTransactionCommit: tellAll });
  }

  /** The line of a row that a statement has written by itself (`auditInsert`), once it is committed. */
  tell({ event, userId, details }: AuditEvent, origin: AuditOrigin): void {
    const { userAgent: _, ...source } = sourceOf(origin);
    this.#logger.log({ event, ...(userId !== undefined && { userId }), ...source, ...(details && { details }) });
  }
}

type RowSource = { readonly caller: string; readonly [part: string]: string | undefined };

const sourceOf = (origin: AuditOrigin): RowSource =>
  origin === 'operator'
    ? { caller: origin }
    : {
        caller: callerName(origin.caller),
        ip: origin.ip,
        userAgent: origin.userAgent,
        requestId: origin.requestId,
      };
