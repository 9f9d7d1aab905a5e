import { type DisabledPlan, epochMs, type Statement } from '#libs/platform/database';

import type { Sort } from './user-list.schema.js';
import { toUserName } from './user-keys.js';
import { hasTrigram, type IndexedLetters } from './user-search/trigrams.js';
import { userColumns } from './user-row.js';

/** What a list is asked for, as the database looks it up. */
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
/** Where a page goes on or a walk ends: the time of creation in Unix milliseconds and the id, or a user name's key. */
export type ListPosition = readonly [ms: number, id: string] | readonly [userNameKey: string];
export type Asked = Statement & {
  readonly values: readonly unknown[];
  readonly disabledPlans: readonly DisabledPlan[];
};

/** Where a list goes on after a user. */
export const positionAfter = (sort: Sort, user: { userName: string; createdMs: number; id: string }): ListPosition =>
  sort.endsWith('userName') ? [toUserName(user.userName).key] : [user.createdMs, user.id];

type Condition = (values: Values) => string;
type Conditions = { readonly along: readonly Condition[]; readonly beside: readonly Condition[] };

/**
 * The statements that a list is made of (ADR 9). `along` are the conditions that the index of the order takes in, so
 * that reading it in order costs nothing for what it leaves out; `beside` are the others, for which rows are read in
 * vain. Values are parameters; literals stand only where PostgreSQL must see them to use a partial index. Unnamed: a
 * kept plan would not know the values, and would search without the trigram index (design §4).
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

  /** Whether a page is read straight from an index: nothing is read in vain. */
  get isStraight(): boolean {
    const { userNameKey, emailKey } = this.filters;
    return userNameKey !== undefined || emailKey !== undefined || this.#conditions.beside.length === 0;
  }

  /** Whether an index finds all that match, wherever they are in the order. */
  isSearchable(letters: IndexedLetters): boolean {
    const { q, createdAfter, createdBefore } = this.filters;
    const isNarrow = isByName(this.filters) && (createdAfter !== undefined || createdBefore !== undefined);
    return isNarrow || (q !== undefined && hasTrigram(q, letters));
  }

  page(limit: number, after?: ListPosition): Asked {
    const values = new Values();
    return values.asked(`select ${userColumns} from users ${this.#all(values, after)} ${this.#first(limit, values)}`);
  }

  /** Reads on in order until the page is full, or `rows` rows have been looked at. */
  window(limit: number, rows: number, after?: ListPosition): Asked {
    const values = new Values();
    return values.asked(
      `select ${userColumns} from (
        select * from users ${where(this.#along(values, after))} ${this.#first(rows, values)}
      ) as users ${where(this.#beside(values))} ${this.#first(limit, values)}`,
      // a few rows are read in order anyhow
      rows > fewRows ? inOrder : [],
    );
  }

  /**
   * Gathers all that match, `most` at most, then orders them; each row says first how many there were. With a
   * `pattern` that all of them fit, the index is read for that one alone, and `q` is looked for in what it finds.
   */
  search(limit: number, most: number, after?: ListPosition, pattern?: string): Asked {
    const values = new Values();
    const conditions = pattern === undefined ? this.#conditions : conditionsOf(this.filters, throughPattern(pattern));
    return values.asked(
      `with found as materialized (
        select * from users ${this.#all(values, after, conditions)} limit ${values.add(most)}
      ) select (select count(*)::int from found) as found, ${userColumns} from found ${this.#first(limit, values)}`,
      ['seqscan'],
    );
  }

  /**
   * As `window`, for one that gave a short page: each row, or the only one with nothing else in it, says first where the
   * window ended, if the order goes on there. One statement, so that nobody who comes or goes in between is missed.
   */
  endedWindow(limit: number, rows: number, after?: ListPosition): Asked {
    const values = new Values();
    const along = where(this.#along(values, after));
    return values.asked(
      `select "end".*, page.* from (values (1)) as one (n)
      left join (
        select id as end_id, user_name_key as end_key, ${epochMs('created_at')} as end_ms
        from users ${along} ${this.#order} offset ${values.add(rows - 1)} limit 1
      ) as "end" on true
      left join (
        select ${userColumns} from (
          select * from users ${along} ${this.#first(rows, values)}
        ) as users ${where(this.#beside(values))} ${this.#first(limit, values)}
      ) as page on true`,
      inOrder,
    );
  }

  /** Counts up to `most`. */
  count(most: number): Asked {
    const values = new Values();
    return values.asked(
      `select count(*)::int as total from (select from users ${this.#all(values)} limit ${values.add(most)}) as found`,
    );
  }

  /** What the planner guesses. */
  estimate(): Asked {
    const values = new Values();
    return values.asked(`explain (format json) select from users ${this.#all(values)}`);
  }

  #first(limit: number, values: Values): string {
    return `${this.#order} limit ${values.add(limit)}`;
  }

  #all(values: Values, after?: ListPosition, conditions = this.#conditions): string {
    return where([...this.#along(values, after, conditions), ...this.#beside(values, conditions)]);
  }

  #along(values: Values, after?: ListPosition, { along } = this.#conditions): readonly string[] {
    const conditions = along.map((condition) => condition(values));
    if (!after) return conditions;
    return [...conditions, `${this.#key} ${this.#direction === 'asc' ? '>' : '<'} ${positionOf(after, values)}`];
  }

  #beside(values: Values, { beside } = this.#conditions): readonly string[] {
    return beside.map((condition) => condition(values));
  }
}

/** Of so few the planner never thinks that sorting the whole table would be faster. */
const fewRows = 1_000;
/** The planner would trust its guess how rare something is, gather all that matches and sort it. */
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
  // two partial indexes cannot be read at once: that of administrators is the smaller
  const isStatusAlong = status === 'deactivated' && role !== 'admin';
  return {
    along: [
      ...given(userNameKey, (key, values) => `user_name_key = ${values.add(key)}`),
      ...given(emailKey, (key, values) => `email_key = ${values.add(key)}`),
      ...admins,
      ...(isStatusAlong ? statuses : []),
      ...(isByName(filters) ? [] : created),
    ],
    beside: [
      ...(isStatusAlong ? [] : statuses),
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

/** No index knows `strpos`: of two conditions by LIKE it would read the lists of both. */
const throughPattern =
  (pattern: string): Contains =>
  (part, values) =>
    `search_text like ${values.add(pattern)} and strpos(search_text, search_fold(${values.add(part)})) > 0`;

/** The signs that mean something to LIKE stand for themselves in a search. */
const escapeLike = (part: string): string => part.replaceAll(/[\\%_]/g, String.raw`\$&`);

class Values {
  readonly #list: unknown[] = [];

  /** @returns the parameter's name */
  add(value: unknown): string {
    this.#list.push(value);
    return `$${this.#list.length}`;
  }

  asked(text: string, disabledPlans: readonly DisabledPlan[] = []): Asked {
    return { text, values: this.#list, disabledPlans };
  }
}
