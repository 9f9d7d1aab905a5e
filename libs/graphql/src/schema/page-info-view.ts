import { Field, ObjectType } from '@nestjs/graphql';

export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };

/** `after` is the cursor after which the page begins. Cursors are made when they are asked for. */
@ObjectType('PageInfo', { description: 'As the Relay cursor connections specification has it; lists go forward only.' })
export class PageInfoView<Item> {
  constructor(
    private readonly page: Page<Item>,
    private readonly cursorOf: (item: Item) => string,
    private readonly after: string | null | undefined,
  ) {}

  @Field(() => Boolean)
  get hasNextPage(): boolean {
    return this.page.nextCursor !== null;
  }

  @Field(() => Boolean)
  get hasPreviousPage(): boolean {
    return typeof this.after === 'string';
  }

  @Field(() => String, { nullable: true })
  get startCursor(): string | null {
    return this.#cursorAt(0);
  }

  /** A search for rare users may give an empty page before the last: `nextCursor` goes on. */
  @Field(() => String, { nullable: true, description: 'Give it as `after` for the next page.' })
  get endCursor(): string | null {
    return this.page.nextCursor ?? this.#cursorAt(-1);
  }

  #cursorAt(index: number): string | null {
    const item = this.page.items.at(index);
    return item === undefined ? null : this.cursorOf(item);
  }
}
