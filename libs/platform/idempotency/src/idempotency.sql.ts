import { rfc3339Sql, type Statement } from '#libs/platform/database';

/** How long an answer is kept. */
export const keptSeconds = 86_400;
/** After this another replica may do the request; a slow one that comes back is rolled back. */
const leaseSeconds = 15;

const leasedUntil = `now() + make_interval(secs => ${leaseSeconds})`;

export const expired = 'created_at < now() - make_interval(secs => ?)';

/** Gives a row when the key is new, or when its lease or its answer has expired. */
export const lock: Statement = {
  text: `insert into idempotency_keys as k (id, fingerprint, attempt, leased_until)
    values ($1, $2, $3, ${leasedUntil})
    on conflict (id) do update set fingerprint = $2, attempt = $3, answer = null, subject = null, created_at = now(),
      leased_until = ${leasedUntil}
    where (k.answer is null and k.leased_until < now()) or k.created_at < now() - make_interval(secs => ${keptSeconds})
    returning id`,
};
export const find: Statement = { text: 'select fingerprint, answer from idempotency_keys where id = $1' };
export const renew: Statement = {
  text: `update idempotency_keys set leased_until = ${leasedUntil}
    where id = $1 and attempt = $2 and answer is null returning 1`,
};
export const release: Statement = {
  text: 'delete from idempotency_keys where id = $1 and attempt = $2 and answer is null',
};

const sets = (at: readonly string[]): string =>
  `update idempotency_keys set fingerprint = ${at[0]}, answer = ${at[1]}, subject = ${at[2]}`;
const isOwned = (at: readonly string[]): string => `id = ${at[3]} and attempt = ${at[4]}`;

/**
 * The UPDATE that keeps an answer, for a statement that also writes what it says. It changes a row
 * when `from` has one, and none when the lock was lost. `IdempotencyLock.values` gives its five
 * parameters, which begin at `firstParameter`.
 */
export function keepAnswer({ from, firstParameter }: { from: string; firstParameter: number }): string {
  const at = ['bytea', 'bytea', 'uuid', 'bytea', 'uuid'].map((type, index) => `$${firstParameter + index}::${type}`);
  return `${sets(at)} from ${from} where ${isOwned(at)} returning 1`;
}

export const keep: Statement = { text: keepAnswer({ from: '(values (1)) as once (n)', firstParameter: 1 }) };

const questionMarks = ['?', '?', '?', '?', '?'];
/** The same for an entity manager, in its transaction. */
export const keepInTransaction = `${sets(questionMarks)} where ${isOwned(questionMarks)} returning 1`;

export const pageAboutUser: Statement = {
  text: `select encode(id, 'hex') as id, ${rfc3339Sql('created_at')} as "createdAt" from idempotency_keys
    where subject = $1 and ($2::text is null or id > decode($2, 'hex')) order by id limit $3`,
};
export const eraseAboutUser = 'delete from idempotency_keys where subject = ?';
