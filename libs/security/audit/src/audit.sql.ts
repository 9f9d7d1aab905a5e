import { callerName, type RequestSource } from '#libs/platform/access';
import { uuidV7 } from '#libs/platform/crypto';
import { rfc3339Sql, type Statement } from '#libs/platform/database';

import type { AuditEvent } from './audit-event.js';

/** The number of the first parameter that `auditValues` fills, and SQL for the rest of the row. */
type ParameterSlot = { readonly from: string; readonly firstParameter: number; readonly details: string };

/**
 * The INSERT of an audit row, for statements of other libs that write it with their own rows in one
 * round trip: the one exception from the rule that a repository writes only its lib's tables. It
 * writes one row for each row of `from`; `details` is an SQL expression of `jsonb` over that row.
 */
export function auditInsert({ from, firstParameter, details }: ParameterSlot): string {
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

/** Of the users as they are now: a row keeps no `sub`, so that nothing of it outlives its user. */
const subjectOf = (user: string): string => `coalesce(${user}.subject, ${user}.id::text)`;
/**
 * Absent filters are null. Not prepared: each combination of filters gets a plan of its own. What
 * the tokens of the users say is looked up for the rows of the page alone.
 */
export const page: Statement = {
  text: `select event.id, ${rfc3339Sql('event.at')} as at, event.event, event.user_id as "userId",
      ${subjectOf('about')} as subject, event.caller, ${subjectOf('caller')} as "callerSubject", event.ip,
      event.user_agent as "userAgent", event.request_id as "requestId", event.details
    from (select * from audit_events
    where ($2::text is null or event = $2) and ($3::uuid[] is null or user_id = any($3))
      and ($4::timestamptz is null or at > $4) and ($5::timestamptz is null or at < $5)
      and ($6::float8 is null or (at, id) < (to_timestamp($6 / 1000), $7::uuid))
    order by audit_events.at desc, id desc limit $1) event
    left join users about on about.id = event.user_id
    left join users caller on caller.id = case when event.caller like 'user:%' then substr(event.caller, 6, 36)::uuid end
    order by event.at desc, event.id desc`,
};
export const userIdOfSubject: Statement = {
  text: 'select id from users where coalesce(subject, id::text) = $1',
};

const isOthers = `caller like 'user:%' and split_part(caller, ' ', 1) <> ?`;
/**
 * An administrator who acted on the user keeps address, browser and request id: they are not the
 * user's. The sender of an `X-Request-Id` chooses its text, which may be a name or an address.
 */
export const pseudonymise = `update audit_events set
    ip = case when ${isOthers} then ip end,
    user_agent = case when ${isOthers} then user_agent end,
    request_id = case when ${isOthers} then request_id end,
    caller = replace(caller, ?, ?),
    user_id = case when user_id = ? then ?::uuid else user_id end
  where user_id = ? or split_part(caller, ' ', 1) = ?`;
