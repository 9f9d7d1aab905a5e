import { type Avoid, epochMs, type Statement } from '#libs/platform/database';

import { toUserName } from '../account/user-keys.js';
import { userColumns } from '../account/user-row.sql.js';
import { hasTrigram, type IndexedLetters } from './trigrams.js';
import type { Sort } from './user-list.schema.js';

/** The filters and the order of a list, with names and addresses as keys. */
export type UserFilters = {
  readonly userNameKey?: string | undefined;
  readonly emailKey?: string | undefined;
  readonly status?: 'active' | 'deactivated' | undefined;
  readonly role?: 'user' | 'admin' | undefined;
  readonly createdAfter?: string | undefined;
  readonly createdBefore?: string | undefined;
  readonly q?: string | undefined;
  readonly sort: Sort;
};
/**
 * A position in the order of a list: the creation in Unix milliseconds and the id, or a user name's
 * key.
 */
export type ListPosition = readonly [ms: number, id: string] | readonly [userNameKey: string];
/** A statement with its values, and the plans that are disabled for it. */
export type BoundStatement = Statement & { readonly values: readonly unknown[]; readonly avoid: readonly Avoid[] };

/** The position after a user. */
export const positionAfter = (sort: Sort, user: { userName: string; createdMs: number; id: string }): ListPosition =>
  sort.endsWith('userName') ? [toUserName(user.userName).key] : [user.createdMs, user.id];

type Condition = (values: Values) => string;
type Conditions = { readonly indexConditions: readonly Condition[]; readonly filters: readonly Condition[] };

/**
 * The statements of a list (ADR 9). The index of the order checks the index conditions, so that it
 * skips other rows at no cost; the filters are applied to rows already read. Values are parameters;
 * literals stand only where PostgreSQL must see them to use a partial index. The statements have no
 * name: a kept plan would not know the values, and would not search by the trigram index (design
 * §4).
 */
export class UserListStatements {
  readonly #direction: 'asc' | 'desc';
  readonly #order: string;
  readonly #key: string;
  readonly #conditions: Conditions;

  constructor(private readonly filters: UserFilters) {
    this.#direction = filters.sort.startsWith('-') ? 'desc' : 'asc';
    const columns = isByName(filters) ? ['user_name_key'] : ['created_at', 'id'];
    this.#key = columns.length === 1 ? columns.join('') : `(${columns.join(', ')})`;
    this.#order = `order by ${columns.map((column) => `${column} ${this.#direction}`).join(', ')}`;
    this.#conditions = conditionsOf(filters);
  }

  /** Whether an index alone gives the page: no row is read and filtered out. */
  get isIndexScan(): boolean {
    const { userNameKey, emailKey } = this.filters;
    return userNameKey !== undefined || emailKey !== undefined || this.#conditions.filters.length === 0;
  }

  /** Whether another index finds all matches, wherever they are in the order. */
  isSearchable(letters: IndexedLetters): boolean {
    const { q, createdAfter, createdBefore } = this.filters;
    const isNarrow = isByName(this.filters) && (createdAfter !== undefined || createdBefore !== undefined);
    return isNarrow || (q !== undefined && hasTrigram(q, letters));
  }

  page(limit: number, after?: ListPosition): BoundStatement {
    const values = new Values();
    return values.bind(`select ${userColumns} from users ${this.#all(values, after)} ${this.#first(limit, values)}`);
  }

  /** Reads in order until the page is full or `rows` rows have been read. */
  scan(limit: number, rows: number, after?: ListPosition): BoundStatement {
    const values = new Values();
    return values.bind(
      `select ${userColumns} from (
        select * from users ${where(this.#indexConditions(values, after))} ${this.#first(rows, values)}
      ) as users ${where(this.#filters(values))} ${this.#first(limit, values)}`,
      // the planner reads a few rows in order by itself
      rows > fewRows ? inOrder : [],
    );
  }

  /**
   * Finds up to `most` matches, then sorts them; the first column of each row is their number. With
   * a `pattern` that all of them fit, the index is read for the pattern, and `q` is looked for in
   * its rows.
   */
  search(limit: number, most: number, after?: ListPosition, pattern?: string): BoundStatement {
    const values = new Values();
    const conditions = pattern === undefined ? this.#conditions : conditionsOf(this.filters, throughPattern(pattern));
    return values.bind(
      `with found as materialized (
        select * from users ${this.#all(values, after, conditions)} limit ${values.add(most)}
      ) select (select count(*)::int from found) as found, ${userColumns} from found ${this.#first(limit, values)}`,
      ['seqscan'],
    );
  }

  /**
   * As `scan`, after it returned a short page: the first columns of each row say where the scan
   * ended, null when it reached the end of the order; a page without users is one row of nulls. It
   * is one statement, so that no user who comes or goes in between is missed.
   */
  boundedScan(limit: number, rows: number, after?: ListPosition): BoundStatement {
    const values = new Values();
    const indexed = where(this.#indexConditions(values, after));
    return values.bind(
      `select "end".*, page.* from (values (1)) as one (n)
      left join (
        select id as end_id, user_name_key as end_key, ${epochMs('created_at')} as end_ms
        from users ${indexed} ${this.#order} offset ${values.add(rows - 1)} limit 1
      ) as "end" on true
      left join (
        select ${userColumns} from (
          select * from users ${indexed} ${this.#first(rows, values)}
        ) as users ${where(this.#filters(values))} ${this.#first(limit, values)}
      ) as page on true`,
      inOrder,
    );
  }

  /** Counts up to `most`. */
  count(most: number): BoundStatement {
    const values = new Values();
    return values.bind(
      `select count(*)::int as total from (select from users ${this.#all(values)} limit ${values.add(most)}) as found`,
    );
  }

  /** The planner's estimate. */
  estimate(): BoundStatement {
    const values = new Values();
    return values.bind(`explain (format json) select from users ${this.#all(values)}`);
  }

  #first(limit: number, values: Values): string {
    return `${this.#order} limit ${values.add(limit)}`;
  }

  #all(values: Values, after?: ListPosition, conditions = this.#conditions): string {
    return where([...this.#indexConditions(values, after, conditions), ...this.#filters(values, conditions)]);
  }

  #indexConditions(values: Values, after?: ListPosition, { indexConditions } = this.#conditions): readonly string[] {
    const conditions = indexConditions.map((condition) => condition(values));
    if (!after) return conditions;
    return [...conditions, `${this.#key} ${this.#direction === 'asc' ? '>' : '<'} ${positionOf(after, values)}`];
  }

  #filters(values: Values, { filters } = this.#conditions): readonly string[] {
    return filters.map((condition) => condition(values));
  }
}

/** For so few rows the planner never prefers to sort the whole table. */
const fewRows = 1_000;
/** Otherwise the planner trusts its estimate that matches are rare, finds all and sorts them. */
const inOrder = ['seqscan', 'bitmapscan', 'sort'] as const;

const isByName = ({ sort }: UserFilters): boolean => sort.endsWith('userName');

function conditionsOf(filters: UserFilters, contains: Contains = throughIndex): Conditions {
  const { userNameKey, emailKey, status, role, createdAfter, createdBefore, q } = filters;
  const created = [
    ...given(createdAfter, (time, values) => `created_at > ${values.add(time)}::timestamptz`),
    ...given(createdBefore, (time, values) => `created_at < ${values.add(time)}::timestamptz`),
  ];
  const admins = role === 'admin' ? [() => "roles @> array['admin']::text[]"] : [];
  const users = role === 'user' ? [() => "roles @> array['user']::text[]"] : [];
  const statuses = given(status, (name) => `status = '${name === 'active' ? 'active' : 'deactivated'}'`);
  // one scan uses one partial index: that of administrators is the smaller
  const isStatusIndexed = status === 'deactivated' && role !== 'admin';
  return {
    indexConditions: [
      ...given(userNameKey, (key, values) => `user_name_key = ${values.add(key)}`),
      ...given(emailKey, (key, values) => `email_key = ${values.add(key)}`),
      ...admins,
      ...(isStatusIndexed ? statuses : []),
      ...(isByName(filters) ? [] : created),
    ],
    filters: [
      ...(isStatusIndexed ? [] : statuses),
      ...users,
      ...(isByName(filters) ? created : []),
      ...given(q, contains),
    ],
  };
}

const given = <T>(value: T | undefined, condition: (value: T, values: Values) => string): Condition[] =>
  value === undefined ? [] : [(values) => condition(value, values)];

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;

function positionOf(position: ListPosition, values: Values): string {
  const [first, id] = position;
  if (id === undefined) return values.add(first);
  return `(to_timestamp(${values.add(first)}::float8 / 1000), ${values.add(id)}::uuid)`;
}

type Contains = (part: string, values: Values) => string;

const throughIndex: Contains = (part, values) =>
  `search_text like '%' || search_fold(${values.add(escapeLike(part))}) || '%'`;

/** `strpos`, since with two LIKE conditions the index would read the lists of both. */
const throughPattern =
  (pattern: string): Contains =>
  (part, values) =>
    `search_text like ${values.add(pattern)} and strpos(search_text, search_fold(${values.add(part)})) > 0`;

/** Escapes the wildcards of LIKE. */
const escapeLike = (part: string): string => part.replaceAll(/[\\%_]/g, String.raw`\$&`);

class Values {
  readonly #list: unknown[] = [];

  /** @returns the parameter's name */
  add(value: unknown): string {
    this.#list.push(value);
    return `$${this.#list.length}`;
  }

  bind(text: string, avoid: readonly Avoid[] = []): BoundStatement {
    return { text, values: this.#list, avoid };
  }
}
