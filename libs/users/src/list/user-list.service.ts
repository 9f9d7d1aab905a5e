import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import type { Principal } from '#libs/platform/access';
import { QueryCursors, timePosition } from '#libs/platform/contract';

import { toEmailKey } from '../account/email-address.js';
import { toUserName } from '../account/user-keys.js';
import { UserViews } from '../account/user-views.js';
import type { UserView } from '../account/users.schema.js';
import { ProfileSchemas } from '../profile/profile-schemas.js';
import { profileFiltersOf } from './profile-filters.js';
import { type Total, UserListRepository } from './user-list.repository.js';
import type { ListUsers, UserPage } from './user-list.schema.js';
import { type ListPosition, positionAfter, type UserFilters } from './user-list.sql.js';

const byName: z.ZodType<ListPosition> = z.tuple([
  z
    .string()
    .min(1)
    .max(256)
    .refine((key) => key.isWellFormed() && !key.includes('\0')),
]);

type PageOf<Item> = Omit<UserPage, 'items'> & { readonly items: Item[] };

/** Lists, filters, searches and counts users. */
@Injectable()
export class UserListService {
  constructor(
    private readonly lists: UserListRepository,
    private readonly views: UserViews,
    private readonly schemas: ProfileSchemas,
  ) {}

  /** @throws AppError `invalid-request`, `invalid-cursor`, `cursor-of-another-query` */
  list(query: ListUsers, caller: Principal): Promise<UserPage> {
    return this.listAs(query, caller, (user) => user);
  }

  /** As `list`, with each item made of a user and its version. */
  async listAs<Item>(
    query: ListUsers,
    caller: Principal,
    make: (user: UserView, version: number) => Item,
  ): Promise<PageOf<Item>> {
    const { limit, cursor, count } = query;
    const filters = this.#filtersOf(query);
    const cursors = cursorsOf(filters);
    const after = cursor === undefined ? undefined : cursors.decode(cursor);
    const page = await this.lists.findPage(filters, limit, after);
    const isWhole = after === undefined && page.next === undefined;
    return {
      items: page.rows.map((row) => make(this.views.ofRow(row, caller), row.version)),
      nextCursor: page.next ? cursors.encode(page.next) : null,
      // a single page already holds the exact total
      ...(count && (isWhole ? { total: page.rows.length, totalIs: 'exact' } : await this.#count(filters, count))),
    };
  }

  /** Counts all users that pass the filters. @throws AppError `invalid-request` */
  count(query: ListUsers): Promise<Total> {
    return this.#count(this.#filtersOf(query), query.count ?? 'exact');
  }

  /** Returns a function that makes the cursor after any user of a page of this query. */
  cursorsOf(query: ListUsers): (user: Pick<UserView, 'id' | 'userName' | 'createdAt'>) => string {
    const filters = this.#filtersOf(query);
    const cursors = cursorsOf(filters);
    return ({ id, userName, createdAt }) =>
      cursors.encode(positionAfter(filters.sort, { userName, createdMs: Date.parse(createdAt), id }));
  }

  /** Without the members that concern one page only. */
  #filtersOf({
    userName,
    email,
    filters,
    limit: _limit,
    cursor: _cursor,
    count: _count,
    ...rest
  }: ListUsers): UserFilters {
    return {
      ...rest,
      ...(filters && profileFiltersOf(filters, this.schemas.filterable)),
      userNameKey: userName === undefined ? undefined : toUserName(userName).key,
      emailKey: email === undefined ? undefined : toEmailKey(email),
    };
  }

  #count(filters: UserFilters, how: 'estimated' | 'exact'): Promise<Total> {
    return how === 'exact' ? this.lists.count(filters) : this.lists.estimate(filters);
  }
}

const cursorsOf = (filters: UserFilters): QueryCursors<ListPosition> =>
  new QueryCursors(filters, filters.sort.endsWith('userName') ? byName : timePosition);
