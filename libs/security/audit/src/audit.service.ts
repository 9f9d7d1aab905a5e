import { Injectable } from '@nestjs/common';

import { QueryCursors, type TimePosition, timePosition } from '#libs/platform/contract';
import { Sql } from '#libs/platform/database';

import { erasedIdOf } from './audit-event.js';
import type { AuditEventView, AuditPage, ListAudit } from './audit.schema.js';
import { page } from './audit.sql.js';

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
    const found = await this.sql.rows<AuditEventView>(page, [limit + 1, ...filters, ms ?? null, id ?? null]);
    const { rows, nextCursor } = cursors.cut(found, limit, positionOf);
    return { items: [...rows], nextCursor };
  }

  /** Gives the cursor after any event of a page of this query, not only after the last. */
  cursorsOf(query: ListAudit): (event: AuditEventView) => string {
    const cursors = cursorsOf(query);
    return (event) => cursors.encode(positionOf(event));
  }
}

const cursorsOf = ({ event, userId, after, before }: ListAudit): QueryCursors<TimePosition> =>
  new QueryCursors({ list: 'audit', event, userId, after, before }, timePosition);

const positionOf = ({ at, id }: AuditEventView): TimePosition => [Date.parse(at), id];
