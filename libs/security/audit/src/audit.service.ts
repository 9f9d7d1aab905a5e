import { randomUUID } from 'node:crypto';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { QueryCursors, type TimePosition, timePosition } from '#libs/platform/contract';
import { isUuid } from '#libs/platform/crypto';
import { Sql } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { erasedIdOf } from './audit-event.js';
import type { AuditEventView, AuditPage, ListAudit } from './audit.schema.js';
import { page, pseudonymise, userIdOfSubject } from './audit.sql.js';

const exportedAtOnce = 100;

/** Reads what was recorded, newest first, and answers for what audit rows say of a user. */
@Injectable()
export class AuditService implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly personalData: PersonalData,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'auditEvents',
      references: ['audit_events.user_id', 'audit_events.caller'],
      export: (userId) => this.#export(userId),
      erase,
    });
  }

  /** @throws AppError `invalid-cursor`, `cursor-of-another-query` */
  async list(query: ListAudit): Promise<AuditPage> {
    const { event, after, before, limit, cursor } = query;
    const cursors = cursorsOf(query);
    const [ms, id] = cursor === undefined ? [] : cursors.decode(cursor);
    const filters = [event ?? null, await this.#idsOf(query), after ?? null, before ?? null];
    const found = await this.sql.rows<AuditEventView>(page, [limit + 1, ...filters, ms ?? null, id ?? null]);
    const { rows, nextCursor } = cursors.cut(found, limit, positionOf);
    return { items: [...rows], nextCursor };
  }

  /** The ids that rows about the user may have; null when the query names no user. */
  async #idsOf({ userId, subject }: ListAudit): Promise<readonly string[] | null> {
    const named = userId?.toLowerCase();
    if (subject === undefined) return named === undefined ? null : [named, erasedIdOf(named)];
    const row = await this.sql.row<{ id: string }>(userIdOfSubject, [subject]);
    // the subject of an erased user is known of those alone whose id it was
    const id = row?.id ?? (isUuid(subject) ? subject.toLowerCase() : undefined);
    return id === undefined || (named !== undefined && named !== id) ? [] : [id, erasedIdOf(id)];
  }

  /** Gives the cursor after any event of a page of this query, not only after the last. */
  cursorsOf(query: ListAudit): (event: AuditEventView) => string {
    const cursors = cursorsOf(query);
    return (event) => cursors.encode(positionOf(event));
  }

  /** What happened to the user, newest first; what it did to others is theirs. */
  async *#export(userId: string): AsyncGenerator<AuditEventView> {
    let cursor: string | undefined;
    do {
      const page = await this.list({ userId, limit: exportedAtOnce, cursor });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}

/**
 * Erasing keeps the rows, since they are evidence, and takes the person out: one random pseudonym
 * stands for the user in all of them, and the user's addresses and browsers are gone.
 */
async function erase(em: SqlEntityManager, userId: string): Promise<void> {
  const [self, pseudonym] = [`user:${userId}`, randomUUID()];
  const values = [self, self, self, self, `user:${pseudonym}`, userId, pseudonym, userId, self];
  await em.execute(pseudonymise, values);
}

const cursorsOf = ({ event, userId, subject, after, before }: ListAudit): QueryCursors<TimePosition> =>
  new QueryCursors({ list: 'audit', event, userId, after, before, ...(subject && { subject }) }, timePosition);

const positionOf = ({ at, id }: AuditEventView): TimePosition => [Date.parse(at), id];
