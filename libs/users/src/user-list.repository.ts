import { Injectable } from '@nestjs/common';

import { Sql } from '#libs/platform/database';

import { type Asked, type ListPosition, type UserFilters, UserListStatements } from './user-list.statements.js';
import { TrigramSample } from './user-search/trigram-sample.js';
import { rarePattern } from './user-search/trigrams.js';
import type { UserRow } from './users.repository.js';

/** A page of rows, and where the next one goes on, if there is one. */
export type UserRows = { readonly rows: readonly UserRow[]; readonly next: ListPosition | undefined };
export type Total = { readonly total: number; readonly totalIs: 'exact' | 'estimated' | 'at-least' };

type Part = { readonly limit: number; readonly after: ListPosition | undefined };
type End = { readonly end_id: string; readonly end_key: string; readonly end_ms: number } | { readonly end_id: null };
type EndedRow = (UserRow | { readonly id: null }) & End;
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
    const cut = (rows: readonly UserRow[]): UserRows => cutPage(rows, limit, filters);
    if (statements.isStraight) return cut(await this.#ask(statements.page(wanted, after)));
    const near = await this.#ask<UserRow>(statements.window(wanted, windowRows, after));
    if (near.length === wanted) return cut(near);
    // about what it costs to read on until the page is full, against finding all that match
    const isRare = near.length * 15 < wanted;
    if (isRare && statements.isSearchable) {
      const pattern = this.#patternOf(filters);
      const search = statements.search(wanted, searchRows + 1, after, pattern);
      const all = await this.#ask<UserRow & { found: number }>(search);
      if ((all[0]?.found ?? 0) <= searchRows) return cut(all);
    }
    const rows = await this.#ask<UserRow>(statements.window(wanted, walkRows, after));
    if (rows.length === wanted) return cut(rows);
    const ended = await this.#ask<EndedRow>(statements.endedWindow(wanted, walkRows, after));
    const found = ended.filter(isUser);
    if (found.length === wanted) return cut(found);
    return { rows: found, next: endOf(ended[0], filters) };
  }

  async count(filters: UserFilters): Promise<Total> {
    const [row] = await this.#ask<{ total: number }>(new UserListStatements(filters).count(countLimit + 1));
    const total = row?.total ?? 0;
    return total > countLimit ? { total: countLimit, totalIs: 'at-least' } : { total, totalIs: 'exact' };
  }

  async estimate(filters: UserFilters): Promise<Total> {
    const [row] = await this.#ask<{ 'QUERY PLAN': Plan[] | string }>(new UserListStatements(filters).estimate());
    const found = row?.['QUERY PLAN'] ?? [];
    const plans: Plan[] = typeof found === 'string' ? JSON.parse(found) : found;
    return { total: plans[0]?.Plan['Plan Rows'] ?? 0, totalIs: 'estimated' };
  }

  #patternOf({ q }: UserFilters): string | undefined {
    const { counts } = this.trigrams;
    return q === undefined || !counts ? undefined : rarePattern(q, counts);
  }

  #ask<Row>({ values, avoid, ...statement }: Asked): Promise<Row[]> {
    return avoid.length === 0
      ? this.sql.rows<Row>(statement, values)
      : this.sql.rowsAvoiding<Row>(avoid, statement, values);
  }
}

function cutPage(found: readonly UserRow[], limit: number, filters: UserFilters): UserRows {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last ? positionOf(last, filters) : undefined };
}

const positionOf = (row: UserRow, { sort }: UserFilters): ListPosition =>
  sort.endsWith('userName') ? [row.user_name_key] : [row.created_ms, row.id];

function endOf(row: EndedRow | undefined, { sort }: UserFilters): ListPosition | undefined {
  if (!row || row.end_id === null) return undefined;
  return sort.endsWith('userName') ? [row.end_key] : [row.end_ms, row.end_id];
}

const isUser = (row: EndedRow): row is UserRow & End => row.id !== null;
