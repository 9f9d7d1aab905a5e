import { type ClientBase, escapeLiteral, type QueryResult } from 'pg';

/** Milliseconds after which the server gives up; 0: never, as for migrations. */
export type TimeLimits = { readonly statementMs: number; readonly lockMs: number; readonly idleMs: number };

/**
 * What our statements rely on, whatever the server, the database or the role has as its default.
 */
const needed: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  // values are written into statements as literals: a backslash must be a backslash
  standard_conforming_strings: 'on',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  array_nulls: 'on',
  transform_null_equals: 'off',
  exit_on_error: 'off',
  gin_fuzzy_search_limit: '0',
  row_security: 'on',
};
/**
 * No session of ours may set these; constraints and triggers do not hold while the second is
 * `replica`.
 */
const unsettable: Readonly<Record<string, string>> = { server_encoding: 'UTF8', session_replication_role: 'origin' };
/**
 * PgBouncer keeps these for each of its clients, so that setting them works through it in
 * transaction mode as well.
 */
const kept = new Set(['client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings']);
/** PostgreSQL's own; a path of the operator's choice comes in the URL's `options`. */
const searchPath = '"$user", public';

/** A setting of the database that this service cannot work with. */
export class UnfitSettingError extends Error {
  override readonly name = 'UnfitSettingError';
}

export type SessionPlan = {
  readonly isPooled: boolean;
  readonly limits: TimeLimits;
  /** The `options` of the connection: a search path that they name stays. */
  readonly options: string | undefined;
};

/**
 * Sets what we rely on and looks whether it holds, in one round trip. Not by startup parameters:
 * PgBouncer knows few. Through a pooler in transaction mode most cannot be set; there the defaults
 * must be right.
 * @throws UnfitSettingError with the setting's name; Error when the server is a standby
 */
export async function prepareSession(client: ClientBase, plan: SessionPlan): Promise<void> {
  // first, since a default of a millisecond would end the rest
  const unlimited = plan.isPooled ? '' : 'set statement_timeout = 0;';
  const results = await client.query<Facts>(`${unlimited}${setting(valuesOf(plan), false)};${checking}`);
  // pg has an array of results where one text holds several statements
  const all: readonly QueryResult<Facts>[] = Array.isArray(results) ? results : [results];
  const facts = all.at(-1)?.rows[0];
  if (facts?.in_recovery === true) throw new Error('the server is a standby, which takes no writes');
  const wrong = Object.entries({ ...needed, ...unsettable }).find(([name, value]) => {
    const found = facts?.settings[name];
    return found !== null && found !== undefined && found !== value;
  });
  if (wrong) throw new UnfitSettingError(explain(wrong[0], wrong[1], facts?.settings[wrong[0]] ?? ''));
}

/**
 * The limits and the rest for one transaction: all that can be set through a pooler in transaction
 * mode.
 */
export const transactionSettings = (limits: TimeLimits): string => setting(limitValues(limits), true);

type Facts = { readonly in_recovery: boolean; readonly settings: Readonly<Record<string, string | null>> };

function valuesOf({ isPooled, limits, options }: SessionPlan): Readonly<Record<string, string>> {
  if (isPooled) return Object.fromEntries(Object.entries(needed).filter(([name]) => kept.has(name)));
  const path = /search[_-]path/i.test(options ?? '') ? {} : { search_path: searchPath };
  return { ...needed, ...limitValues(limits), idle_session_timeout: '0', ...path };
}

const limitValues = ({ statementMs, lockMs, idleMs }: TimeLimits): Readonly<Record<string, string>> => ({
  statement_timeout: String(statementMs),
  lock_timeout: String(lockMs),
  idle_in_transaction_session_timeout: String(idleMs),
  transaction_timeout: '0',
});

/** Settings that this release of PostgreSQL does not have are left out. */
function setting(values: Readonly<Record<string, string>>, isLocal: boolean): string {
  const rows = Object.entries(values).map(([name, value]) => `(${escapeLiteral(name)}, ${escapeLiteral(value)})`);
  return `select count(set_config(name, value, ${String(isLocal)})) from (values ${rows.join(', ')}) as wanted (name, value)
    where current_setting(name, true) is not null`;
}

const names = [...Object.keys(needed), ...Object.keys(unsettable)].map((name) => escapeLiteral(name)).join(', ');
const checking = `select pg_is_in_recovery() as in_recovery,
  (select json_object_agg(name, current_setting(name, true)) from unnest(array[${names}]) as name) as settings`;

function explain(name: string, value: string, found: string): string {
  const isFixed = name === 'server_encoding';
  const advice = isFixed
    ? 'create the database with encoding UTF8'
    : `alter role CURRENT_USER set ${name} = ${escapeLiteral(value)}`;
  return `the setting ${name} is ${escapeLiteral(found)} and must be ${escapeLiteral(value)}: ${advice}`;
}
