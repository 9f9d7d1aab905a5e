import { Injectable } from '@nestjs/common';

import { Sql } from '#libs/platform/database';

import {
  type Asked,
  type ListPosition,
  positionAfter,
  type UserFilters,
  UserListStatements,
} from './user-list.statements.js';
import { TrigramSample } from './user-search/trigram-sample.js';
import { rarePattern } from './user-search/trigrams.js';
import { rowOf, type UserRow, type UserTuple } from './user-row.js';

/** A page of rows, and where the next one goes on, if there is one. */
export type UserRows = { readonly rows: readonly UserRow[]; readonly next: ListPosition | undefined };
export type Total = { readonly total: number; readonly totalIs: 'exact' | 'estimated' | 'at-least' };

type Part = { readonly limit: number; readonly after: ListPosition | undefined };
type FoundTuple = readonly [found: number, ...user: UserTuple];
type EndedTuple = readonly [endId: string | null, endKey: string, endMs: number, ...user: UserTuple | Nobody];
type Nobody = Nulls<UserTuple>;
type Nulls<Tuple extends readonly unknown[]> = { readonly [Column in keyof Tuple]: null };
type Plan = { readonly Plan: { readonly 'Plan Rows': number } };

/** Rows that are looked at before it is asked whether what is sought is rare: 0.7 ms. */
const windowRows = 1_000;
/** Of fewer matches it is faster to find all and to sort them than to read on in order. */
const searchRows = 5_000;
/** Rows that one request may look at in vain: 60 ms. */
const walkRows = 100_000;
const countLimit = 10_000;

/** Reads lists of users in time that does not grow with the table. How and why: ADR 9. */
@Injectable()
export class UserListRepository {
  constructor(
    private readonly sql: Sql,
    private readonly trigrams: TrigramSample,
  ) {}

  async findPage(filters: UserFilters, part: Part): Promise<UserRows> {
    const statements = new UserListStatements(filters);
    const { limit, after } = part;
    // one extra row tells whether a next page exists
    const wanted = limit + 1;
    const cut = (found: readonly UserTuple[]): UserRows => cutPage(found.map(rowOf), limit, filters);
    if (statements.isStraight) return cut(await this.#ask(statements.page(wanted, after)));
    const near = await this.#ask<UserTuple>(statements.window(wanted, windowRows, after));
    if (near.length === wanted) return cut(near);
    // about what it costs to read on until the page is full, against finding all that match
    const isRare = near.length * 15 < wanted;
    const sample = this.trigrams.current;
    if (isRare && statements.isSearchable(sample?.letters ?? 'all')) {
      const pattern = filters.q === undefined || !sample ? undefined : rarePattern(sample, filters.q);
      const all = await this.#ask<FoundTuple>(statements.search(wanted, searchRows + 1, after, pattern));
      if ((all[0]?.[0] ?? 0) <= searchRows) return cut(all.map(([, ...user]) => user));
    }
    const rows = await this.#ask<UserTuple>(statements.window(wanted, walkRows, after));
    if (rows.length === wanted) return cut(rows);
    const ended = await this.#ask<EndedTuple>(statements.endedWindow(wanted, walkRows, after));
    const found = ended.flatMap(([, , , ...user]) => (isUser(user) ? [user] : []));
    if (found.length === wanted) return cut(found);
    return { rows: found.map(rowOf), next: endOf(ended[0], filters) };
  }

  async count(filters: UserFilters): Promise<Total> {
    const [row] = await this.#ask<[total: number]>(new UserListStatements(filters).count(countLimit + 1));
    const total = row?.[0] ?? 0;
    return total > countLimit ? { total: countLimit, totalIs: 'at-least' } : { total, totalIs: 'exact' };
  }

  async estimate(filters: UserFilters): Promise<Total> {
    const [row] = await this.#ask<[Plan[] | string]>(new UserListStatements(filters).estimate());
    const found = row?.[0] ?? [];
    const plans: Plan[] = typeof found === 'string' ? JSON.parse(found) : found;
    return { total: plans[0]?.Plan['Plan Rows'] ?? 0, totalIs: 'estimated' };
  }

  #ask<Tuple extends readonly unknown[]>({ values, disabledPlans, ...statement }: Asked): Promise<Tuple[]> {
    return this.sql.tuples<Tuple>(statement, values, disabledPlans);
  }
}

function cutPage(found: readonly UserRow[], limit: number, { sort }: UserFilters): UserRows {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  if (found.length <= limit || !last) return { rows, next: undefined };
  const { user_name: userName, created_ms: createdMs, id } = last;
  return { rows, next: positionAfter(sort, { userName, createdMs, id }) };
}

function endOf(tuple: EndedTuple | undefined, { sort }: UserFilters): ListPosition | undefined {
  const [id, key, ms] = tuple ?? [null];
  if (id === null) return undefined;
  return sort.endsWith('userName') ? [key] : [ms, id];
}

const isUser = (tuple: UserTuple | Nobody): tuple is UserTuple => tuple[0] !== null;
