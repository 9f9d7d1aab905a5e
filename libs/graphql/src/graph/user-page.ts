import type { ListUsers, UserListService, UserView } from '#libs/users';

import { type Page, PagePlace } from './page-info.js';
import type { GraphUser } from './graph-user.js';

type Counted = Awaited<ReturnType<UserListService['count']>>;

/** An accessor of its own would keep each alive until V8 collects the old generation. */
class Edge {
  constructor(
    readonly node: GraphUser,
    private readonly cursorOf: (user: UserView) => string,
  ) {}

  get cursor(): string {
    return this.cursorOf(this.node);
  }
}

/** A page of users as the graph shows it; cursors and counts are worked out only when they are asked for. */
export class UserPageView {
  readonly #counted = new Map<'exact' | 'estimated', Promise<Counted>>();
  #cursorOf: ((user: UserView) => string) | undefined;

  constructor(
    private readonly lists: UserListService,
    private readonly query: ListUsers,
    private readonly page: Page<GraphUser>,
  ) {}

  get nodes(): readonly GraphUser[] {
    return this.page.items;
  }

  get edges(): readonly object[] {
    const cursorOf = (user: UserView): string => this.#cursor(user);
    return this.page.items.map((node) => new Edge(node, cursorOf));
  }

  get pageInfo(): PagePlace<GraphUser> {
    return new PagePlace(this.page, (user) => this.#cursor(user), this.query.cursor);
  }

  count(how: 'exact' | 'estimated'): Promise<Counted> {
    const known = this.#counted.get(how);
    if (known) return known;
    const counted = this.#isWhole
      ? Promise.resolve({ total: this.page.items.length, totalIs: 'exact' } as const)
      : this.lists.count({ ...this.query, count: how });
    this.#counted.set(how, counted);
    return counted;
  }

  /** The only page needs no second look. */
  get #isWhole(): boolean {
    return this.query.cursor === undefined && this.page.nextCursor === null;
  }

  #cursor(user: UserView): string {
    this.#cursorOf ??= this.lists.cursorsOf(this.query);
    return this.#cursorOf(user);
  }
}
