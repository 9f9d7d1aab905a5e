import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';

import { type Config, CONFIG } from '#libs/platform/config';
import { QueryCursors } from '#libs/platform/http';

import { UserListRepository, type Total, type UserRows } from './user-list.repository.js';
import type { ListUsers, UserPage } from './user-list.schema.js';
import { type ListPosition, positionAfter, type UserFilters } from './user-list.statements.js';
import { toEmailKey } from './email-address.js';
import { toUserName } from './user-keys.js';
import { viewOfRow } from './user-view.js';
import type { UserView } from './users.schema.js';

/** The last time that JavaScript and PostgreSQL both know, in Unix milliseconds. */
const latestMs = 8_640_000_000_000_000;
const byCreation: z.ZodType<ListPosition> = z.tuple([z.int().min(0).max(latestMs), z.uuid()]);
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
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws AppError `invalid-request`, `invalid-cursor`, `cursor-of-another-query` */
  list(query: ListUsers): Promise<UserPage> {
    return this.listAs(query, (user) => user);
  }

  /** As `list`, of what is made of each user and its version. */
  async listAs<Item>(query: ListUsers, make: (user: UserView, version: number) => Item): Promise<PageOf<Item>> {
    const { limit, cursor, count } = query;
    const filters = filtersOf(query);
    const cursors = cursorsOf(filters);
    const after = cursor === undefined ? undefined : cursors.decode(cursor);
    const page = await this.lists.findPage(filters, { limit, after });
    const isWhole = after === undefined && page.next === undefined;
    return {
      items: page.rows.map((row) => make(viewOfRow(row, this.config.PUBLIC_URL), row.version)),
      nextCursor: page.next ? cursors.encode(page.next) : null,
      ...(count && (isWhole ? counted(page) : await this.#count(filters, count))),
    };
  }

  /** All users that the filters let through. @throws AppError `invalid-request` */
  count(query: ListUsers): Promise<Total> {
    return this.#count(filtersOf(query), query.count ?? 'exact');
  }

  /** Gives the cursor after any user of a page, not only the last; the user must come from a page of this query. */
  cursorsOf(query: ListUsers): (user: Pick<UserView, 'id' | 'userName' | 'createdAt'>) => string {
    const filters = filtersOf(query);
    const cursors = cursorsOf(filters);
    return ({ id, userName, createdAt }) =>
      cursors.encode(positionAfter(filters.sort, { userName, createdMs: Date.parse(createdAt), id }));
  }

  #count(filters: UserFilters, how: 'estimated' | 'exact'): Promise<Total> {
    return how === 'exact' ? this.lists.count(filters) : this.lists.estimate(filters);
  }
}

/** Without what is of one page only. */
const filtersOf = ({
  userName,
  email,
  limit: _limit,
  cursor: _cursor,
  count: _count,
  ...rest
}: ListUsers): UserFilters => ({
  ...rest,
  userNameKey: userName === undefined ? undefined : toUserName(userName).key,
  emailKey: email === undefined ? undefined : toEmailKey(email),
});

const cursorsOf = (filters: UserFilters): QueryCursors<ListPosition> =>
  new QueryCursors(filters, filters.sort.endsWith('userName') ? byName : byCreation);

/** The only page needs no second look. */
const counted = ({ rows }: UserRows): Total => ({ total: rows.length, totalIs: 'exact' });
