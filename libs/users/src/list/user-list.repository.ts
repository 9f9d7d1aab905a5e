import { Injectable } from '@nestjs/common';

import { Sql } from '#libs/platform/database';

import { rowOf, type UserRow, type UserTuple } from '../account/user-row.sql.js';
import { TrigramSampleRepository } from './trigram-sample.repository.js';
import { rarePattern } from './trigrams.js';
import {
  type BoundStatement,
  type ListPosition,
  positionAfter,
  type UserFilters,
  UserListStatements,
} from './user-list.sql.js';

/** A page of rows, and the position of the next page if there is one. */
export type UserRows = { readonly rows: readonly UserRow[]; readonly next: ListPosition | undefined };
export type Total = { readonly total: number; readonly totalIs: 'exact' | 'estimated' | 'at-least' };

type FoundTuple = readonly [found: number, ...user: UserTuple];
type ScanTuple = readonly [endId: string | null, endKey: string, endMs: number, ...user: UserTuple | Nobody];
type Nobody = Nulls<UserTuple>;
type Nulls<Tuple extends readonly unknown[]> = { readonly [Column in keyof Tuple]: null };
type Plan = { readonly Plan: { readonly 'Plan Rows': number } };

/** Rows read before it is judged whether matches are rare: 0.7 ms. */
const firstScanRows = 1_000;
/** Up to so many matches it is faster to find and sort all than to read on in order. */
const searchRows = 5_000;
/** Most rows that one request may read and filter out: 60 ms. */
const scanRows = 100_000;
const countLimit = 10_000;

/** Lists users in time that does not grow with the table; how and why: ADR 9. */
@Injectable()
export class UserListRepository {
  constructor(
    private readonly sql: Sql,
    private readonly trigrams: TrigramSampleRepository,
  ) {}

  async findPage(filters: UserFilters, limit: number, after: ListPosition | undefined): Promise<UserRows> {
    const statements = new UserListStatements(filters, after);
    // one extra row tells whether a next page exists
    const wanted = limit + 1;
    const cut = (found: readonly UserTuple[]): UserRows => cutPage(found.map(rowOf), limit, filters);
    if (statements.isIndexScan) return cut(await this.#ask(statements.page(wanted)));
    const near = await this.#ask<UserTuple>(statements.scan(wanted, firstScanRows));
    if (near.length === wanted) return cut(near);
    // here reading on until the page is full costs about as much as finding all matches
    const isRare = near.length * 15 < wanted;
    const sample = this.trigrams.current;
    if (isRare && statements.isSearchable(sample?.letters ?? 'all')) {
      const pattern = filters.q === undefined || !sample ? undefined : rarePattern(sample, filters.q);
      const all = await this.#ask<FoundTuple>(statements.search(wanted, searchRows + 1, pattern));
      if ((all[0]?.[0] ?? 0) <= searchRows) return cut(all.map(([, ...user]) => user));
    }
    const rows = await this.#ask<UserTuple>(statements.scan(wanted, scanRows));
    if (rows.length === wanted) return cut(rows);
    const bounded = await this.#ask<ScanTuple>(statements.boundedScan(wanted, scanRows));
    const found = bounded.flatMap(([, , , ...user]) => (isUser(user) ? [user] : []));
    if (found.length === wanted) return cut(found);
    return { rows: found.map(rowOf), next: endOf(bounded[0], filters) };
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

  #ask<Tuple extends readonly unknown[]>({ values, disabledPlans, ...statement }: BoundStatement): Promise<Tuple[]> {
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

function endOf(tuple: ScanTuple | undefined, { sort }: UserFilters): ListPosition | undefined {
  const [id, key, ms] = tuple ?? [null];
  if (id === null) return undefined;
  return sort.endsWith('userName') ? [key] : [ms, id];
}

const isUser = (tuple: UserTuple | Nobody): tuple is UserTuple => tuple[0] !== null;
