import { epochMs, rfc3339Sql, type Statement } from '#libs/platform/database';

export const insertEntry = `insert into outbox (id, kind, payload, user_id, due_at)
  values (?, ?, ?, ?, now() + make_interval(secs => ?))`;

/**
 * Leases what is due, each entry to one replica: whoever dies at it lets it become due again. The
 * lease is committed before anything is sent, so that no transaction is open meanwhile.
 */
export const leaseDue: Statement = {
  text: `update outbox set attempts = attempts + 1, due_at = now() + make_interval(secs => $2)
    where id in (
      select id from outbox where due_at <= now() and failed_at is null
      order by due_at limit $1 for update skip locked
    ) returning id, kind, payload, attempts, ${epochMs('created_at')} as "createdAtMs"`,
};

export const deleteEntry: Statement = { text: 'delete from outbox where id = $1' };

export const postpone: Statement = {
  text: 'update outbox set due_at = now() + make_interval(secs => $2), last_error = $3 where id = $1',
};

export const giveUp: Statement = { text: 'update outbox set failed_at = now(), last_error = $2 where id = $1' };

/** Makes what was given up due again, one entry or all of a kind. */
export const retryFailed: Statement = {
  text: `with again as (
      update outbox set failed_at = null, attempts = 0, due_at = now(), created_at = now()
      where failed_at is not null and kind = $1 and id = coalesce($2::uuid, id) returning 1
    ) select count(*)::int as count from again`,
};

export const listEntries: Statement = {
  text: `select id, attempts, last_error as "lastError", payload, user_id as "userId",
      case when failed_at is not null then 'failed' else 'waiting' end as status,
      ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('due_at')} as "dueAt"
    from outbox where kind = $1 order by failed_at is null, outbox.created_at, id limit $2`,
};

export const countEntries: Statement = {
  text: `select count(*) filter (where failed_at is null)::int as waiting,
      count(*) filter (where failed_at is not null)::int as failed,
      coalesce(extract(epoch from now() - min(created_at) filter (where failed_at is null)), 0)::float8 as "ageSeconds"
    from outbox`,
};

export const exportOf: Statement = {
  text: `select id, kind, ${rfc3339Sql('created_at')} as "createdAt" from outbox where user_id = $1 order by id`,
};
