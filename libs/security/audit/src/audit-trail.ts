import { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { callerName, type RequestSource } from '#libs/platform/access';
import { type Config, CONFIG } from '#libs/platform/config';
import { uuidV7 } from '#libs/platform/crypto';
import { Sweeper } from '#libs/platform/database';

import type { AuditEvent } from './audit-event.js';
import { AuditEntity } from './audit.entity.js';

const daySeconds = 86_400;

/** Who caused an event: a request, or the operator at the command line and by schedule. */
export type Actor = (Pick<RequestSource, 'caller'> & Partial<RequestSource>) | 'operator';

/**
 * Records security events, in the transaction of their cause when there is one. Each row is also a
 * line of the log with the context `Audit`, so that the trail can be kept where an administrator of
 * this service cannot reach it.
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
    this.sweeper.registerRetention({
      table: 'audit_events',
      condition: 'at < now() - make_interval(secs => ?)',
      values: [this.config.AUDIT_RETENTION_DAYS * daySeconds],
    });
  }

  /** Records one event; its line is logged when the transaction of `em` commits. */
  async record(event: AuditEvent, source: Actor, em: SqlEntityManager = this.em.fork()): Promise<void> {
    await this.recordAll([event], source, em);
  }

  /** As `record`, of several events in one statement. */
  async recordAll(events: readonly AuditEvent[], source: Actor, em: SqlEntityManager): Promise<void> {
    if (events.length === 0) return;
    const row = toColumns(source);
    await em.insertMany(
      AuditEntity,
      events.map((event) => ({ id: uuidV7(), ...event, ...row })),
    );
    const tellAll = (): void => {
      for (const event of events) this.tell(event, source);
    };
    if (!em.isInTransaction()) {
      tellAll();
      return;
    }
    // what is rolled back did not happen; the transaction has an event manager of its own
    em.getEventManager().registerSubscriber({ afterTransactionCommit: tellAll });
  }

  /** Logs the line of a row that a statement has written by itself (`auditInsert`). */
  tell({ event, userId, details }: AuditEvent, source: Actor): void {
    const { userAgent: _, ...columns } = toColumns(source);
    this.#logger.log({ event, ...(userId !== undefined && { userId }), ...columns, ...(details && { details }) });
  }
}

type SourceColumns = { readonly caller: string; readonly [part: string]: string | undefined };

const toColumns = (source: Actor): SourceColumns =>
  source === 'operator'
    ? { caller: source }
    : {
        caller: callerName(source.caller),
        ip: source.ip,
        userAgent: source.userAgent,
        requestId: source.requestId,
      };
