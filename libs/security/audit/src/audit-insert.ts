import { callerName, type RequestSource } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';

import type { AuditEvent } from './audit-event.js';

/** Where the values of `auditValues` begin among a statement's own, and SQL for the rest. */
type Place = { readonly from: string; readonly firstParameter: number; readonly details: string };

/**
 * The INSERT of an audit row, for statements that write it with their own rows in one round trip: one for each row of
 * `from`, with `details` as an SQL expression of `jsonb` over it.
 */
export function auditInsert({ from, firstParameter, details }: Place): string {
  const types = ['uuid', 'text', 'uuid', 'text', 'text', 'text', 'text'];
  const parameters = types.map((type, index) => `$${firstParameter + index}::${type}`);
  return `insert into audit_events (id, event, user_id, caller, ip, user_agent, request_id, details)
    select ${parameters.join(', ')}, ${details} from ${from}`;
}

/** The seven values that an `auditInsert` takes. */
export function auditValues({ event, userId }: Omit<AuditEvent, 'details'>, source: RequestSource): readonly unknown[] {
  const { caller, ip, userAgent, requestId } = source;
  return [uuidV7(), event, userId ?? null, callerName(caller), ip, userAgent ?? null, requestId];
}
