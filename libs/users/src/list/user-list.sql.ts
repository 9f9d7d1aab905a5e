import { type DisabledPlan, epochMs, type Statement } from '#libs/platform/database';

import { toUserName } from '../account/user-keys.js';
import { userColumns } from '../account/user-row.sql.js';
import type { JsonObject } from '../profile/json-object.js';
import { hasTrigram, type IndexedLetters } from './trigrams.js';
import type { Sort } from './user-list.schema.js';

/** The filters and the order of a list, with names and addresses as keys. */
export type UserFilters = {
  readonly userNameKey?: string | undefined;
  readonly emailKey?: string | undefined;
  readonly status?: 'active' | 'deactivated' | undefined;
  readonly role?: string | undefined;
  readonly subject?: string | undefined;
  readonly profile?: JsonObject | undefined;
  readonly metadata?: JsonObject | undefined;
  readonly createdAfter?: string | undefined;
  readonly createdBefore?: string | undefined;
  readonly q?: string | undefined;
  readonly sort: Sort;
};
/** A position in the order: creation in Unix milliseconds and id, or the key of a user name. */
export type ListPosition = readonly [ms: number, id: string] | readonly [userNameKey: string];
/** A statement with its values, and the plans that are disabled for it. */
export type BoundStatement = Statement & {
  readonly values: readonly unknown[];
  readonly disabledPlans: readonly DisabledPlan[];
};

/** The position after a user. */
export const positionAfter = (sort: Sort, user: { userName: string; createdMs: number; id: string }): ListPosition =>
  sort.endsWith('userName') ? [toUserName(user.userName).key] : [user.createdMs, user.id];

type Conditions = { readonly indexConditions: readonly string[]; readonly filters: readonly string[] };

/** For so few rows the planner never prefers to sort the whole table. */
const fewRows = 1_000;
/** Otherwise the planner trusts its estimate that matches are rare, finds all and sorts them. */
const inOrder = ['seqscan', 'bitmapscan', 'sort'] as const;

/**
 * The statements of a list (ADR 9). The index of the order checks the index conditions, so that it
 * skips other rows at no cost; the filters are applied to rows already read. Values are parameters;
 * literals stand only where PostgreSQL must see them to use a partial index. The statements have no
 * name: a kept plan would not know the values, and not search by the trigram index (design §4).
 */
export class UserListStatements {
  constructor(
    private readonly filters: UserFilters,
    private readonly after?: ListPosition,
  ) {}

  /** Whether an index alone gives the page: no row is read and filtered out. */
  get isIndexScan(): boolean {
    const { userNameKey, emailKey, subject } = this.filters;
    if (userNameKey !== undefined || emailKey !== undefined || subject !== undefined) return true;
    return conditionsOf(this.filters, new Values(), byIndex).filters.length === 0;
  }

  /** Whether another index finds all matches, wherever they are in the order. */
  isSearchable(letters: IndexedLetters): boolean {
    const { q, createdAfter, createdBefore } = this.filters;
    const isNarrow = isByName(this.filters) && (createdAfter !== undefined || createdBefore !== undefined);
    return isNarrow || hasGinCondition(this.filters) || (q !== undefined && hasTrigram(q, letters));
  }

  page(limit: number): BoundStatement {
    const { values, matching, first } = this.#parts();
    return values.bind(`select ${userColumns} from users ${matching} ${first(limit)}`);
  }

  /** Reads in order until the page is full or `rows` rows have been read. */
  scan(limit: number, rows: number): BoundStatement {
    const { values, indexed, filtered, first } = this.#parts();
    return values.bind(
      `select ${userColumns} from (select * from users ${indexed} ${first(rows)}) as users ${filtered} ${first(limit)}`,
      rows > fewRows ? inOrder : [],
    );
  }

  /**
   * Finds up to `most` matches, then sorts them; the first column of each row is their number. A
   * `pattern` that all of them fit is looked up in the index, and `q` in the rows that it finds.
   */
  search(limit: number, most: number, pattern?: string): BoundStatement {
    const { values, matching, first } = this.#parts(pattern === undefined ? byIndex : byPattern(pattern));
    return values.bind(
      `with found as materialized (select * from users ${matching} limit ${values.add(most)})
      select (select count(*)::int from found) as found, ${userColumns} from found ${first(limit)}`,
      ['seqscan'],
    );
  }

  /**
   * As `scan`, after it returned a short page: the first columns of each row say where the scan
   * ended, null when it reached the end of the order; a page without users is one row of nulls. It
   * is one statement, so that no user who comes or goes in between is missed.
   */
  boundedScan(limit: number, rows: number): BoundStatement {
    const { values, indexed, filtered, order, first } = this.#parts();
    return values.bind(
      `select "end".*, page.* from (values (1)) as one (n)
      left join (
        select id as end_id, user_name_key as end_key, ${epochMs('created_at')} as end_ms
        from users ${indexed} ${order} offset ${values.add(rows - 1)} limit 1
      ) as "end" on true
      left join (
        select ${userColumns} from (select * from users ${indexed} ${first(rows)}) as users ${filtered} ${first(limit)}
      ) as page on true`,
      inOrder,
    );
  }

  /** Counts up to `most`. */
  count(most: number): BoundStatement {
    const { values, matching } = this.#parts();
    const found = `select from users ${matching} limit ${values.add(most)}`;
    return values.bind(`select count(*)::int as total from (${found}) as found`);
  }

  /** The planner's estimate. */
  estimate(): BoundStatement {
    const { values, matching } = this.#parts();
    return values.bind(`explain (format json) select from users ${matching}`);
  }

  #parts(contains: Contains = byIndex) {
    const values = new Values();
    const { indexConditions, filters } = conditionsOf(this.filters, values, contains);
    const direction = this.filters.sort.startsWith('-') ? 'desc' : 'asc';
    const order = `order by ${isByName(this.filters) ? 'user_name_key' : `created_at ${direction}, id`} ${direction}`;
    const beyond = this.after ? [beyondOf(this.after, direction, values)] : [];
    const indexed = [...indexConditions, ...beyond];
    return {
      values,
      order,
      indexed: where(indexed),
      filtered: where(filters),
      matching: where([...indexed, ...filters]),
      first: (limit: number): string => `${order} limit ${values.add(limit)}`,
    };
  }
}

const isByName = ({ sort }: UserFilters): boolean => sort.endsWith('userName');

/** Built-in roles are never looked up in the index: one has its own, the other nearly all have. */
const isOtherRole = (role: string | undefined): role is string =>
  role !== undefined && role !== 'user' && role !== 'admin';

/** Whether one of the partial GIN indexes finds all matches. */
const hasGinCondition = ({ role, profile, metadata }: UserFilters): boolean =>
  isOtherRole(role) || profile !== undefined || metadata !== undefined;

function conditionsOf(asked: UserFilters, values: Values, contains: Contains): Conditions {
  const { userNameKey, emailKey, subject, status, role, createdAfter, createdBefore, q } = asked;
  const indexConditions: string[] = [];
  const filters: string[] = [];
  const times = isByName(asked) ? filters : indexConditions;
  // one scan uses one partial index: that of administrators is the smaller
  const statuses = status === 'deactivated' && role !== 'admin' ? indexConditions : filters;
  if (userNameKey !== undefined) indexConditions.push(`user_name_key = ${values.add(userNameKey)}`);
  if (emailKey !== undefined) indexConditions.push(`email_key = ${values.add(emailKey)}`);
  if (subject !== undefined) indexConditions.push(`coalesce(subject, id::text) = ${values.add(subject)}`);
  if (role === 'admin') indexConditions.push("roles @> array['admin']::text[]");
  if (status !== undefined) statuses.push(status === 'active' ? "status = 'active'" : "status = 'deactivated'");
  if (role === 'user') filters.push("roles @> array['user']::text[]");
  else if (isOtherRole(role)) filters.push(`roles <> '{user}' and roles @> array[${values.add(role)}::text]`);
  if (createdAfter !== undefined) times.push(`created_at > ${values.add(createdAfter)}::timestamptz`);
  if (createdBefore !== undefined) times.push(`created_at < ${values.add(createdBefore)}::timestamptz`);
  for (const column of ['profile', 'metadata'] as const) {
    const members = asked[column];
    if (members) filters.push(`${column} <> '{}' and ${column} @> ${values.add(JSON.stringify(members))}::jsonb`);
  }
  if (q !== undefined) filters.push(contains(q, values));
  return { indexConditions, filters };
}

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

function beyondOf([first, id]: ListPosition, direction: 'asc' | 'desc', values: Values): string {
  const isBeyond = direction === 'asc' ? '>' : '<';
  if (id === undefined) return `user_name_key ${isBeyond} ${values.add(first)}`;
  const position = `(to_timestamp(${values.add(first)}::float8 / 1000), ${values.add(id)}::uuid)`;
  return `(created_at, id) ${isBeyond} ${position}`;
}

type Contains = (part: string, values: Values) => string;

const byIndex: Contains = (part, values) =>
  // the wildcards of LIKE are escaped
  `search_text like '%' || search_fold(${values.add(part.replaceAll(/[\\%_]/g, String.raw`\$&`))}) || '%'`;

/** `strpos`, since with two LIKE conditions the index would read the lists of both. */
const byPattern =
  (pattern: string): Contains =>
  (part, values) =>
    `search_text like ${values.add(pattern)} and strpos(search_text, search_fold(${values.add(part)})) > 0`;

class Values {
  readonly #list: unknown[] = [];

  /** @returns the parameter's name */
  add(value: unknown): string {
    this.#list.push(value);
    return `$${this.#list.length}`;
  }

  bind(text: string, disabledPlans: readonly DisabledPlan[] = []): BoundStatement {
    return { text, values: this.#list, disabledPlans };
  }
}
