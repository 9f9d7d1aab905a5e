import { Injectable } from '@nestjs/common';

import { QueryCursors, type TimePosition, timePosition } from '#libs/platform/contract';
import { Sql } from '#libs/platform/database';

import { erasedIdOf } from './audit-event.js';
import type { AuditEventView, AuditPage, ListAudit } from './audit.schema.js';
import { page } from './audit.sql.js';

type Row = {
  readonly id: string;
  readonly at_ms: number;
  readonly event: AuditEventView['event'];
  readonly user_id: string | null;
  readonly caller: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly details: Record<string, unknown> | null;
};

/** Reads what was recorded, newest first. */
@Injectable()
export class AuditService {
  constructor(private readonly sql: Sql) {}

  /** @throws AppError `invalid-cursor`, `cursor-of-another-query` */
  async list(query: ListAudit): Promise<AuditPage> {
    const { event, userId, after, before, limit, cursor } = query;
    const cursors = cursorsOf(query);
    const [ms, id] = cursor === undefined ? [] : cursors.decode(cursor);
    const filters = [
      event ?? null,
      userId === undefined ? null : [userId, erasedIdOf(userId)],
      after ?? null,
      before ?? null,
    ];
    const found = await this.sql.rows<Row>(page, [limit + 1, ...filters, ms ?? null, id ?? null]);
    const { rows, nextCursor } = cursors.cut(found, limit, (row) => [row.at_ms, row.id]);
    return { items: rows.map(viewOf), nextCursor };
  }

  /** Gives the cursor after any event of a page of this query, not only after the last. */
  cursorsOf(query: ListAudit): (event: AuditEventView) => string {
    const cursors = cursorsOf(query);
    return ({ at, id }) => cursors.encode([Date.parse(at), id]);
  }
}

const cursorsOf = ({ event, userId, after, before }: ListAudit): QueryCursors<TimePosition> =>
  new QueryCursors({ list: 'audit', event, userId, after, before }, timePosition);

function viewOf({ id, at_ms, event, user_id, caller, ip, user_agent, request_id, details }: Row): AuditEventView {
  const at = new Date(at_ms).toISOString();
  return { id, at, event, userId: user_id, caller, ip, userAgent: user_agent, requestId: request_id, details };
}
