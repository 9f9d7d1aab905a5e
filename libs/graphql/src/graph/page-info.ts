import { Field, ObjectType } from '@nestjs/graphql';

@ObjectType({ description: 'As the Relay cursor connections specification has it; lists go forward only.' })
export class PageInfo {
  @Field()
  readonly hasNextPage!: boolean;

  @Field()
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  readonly startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Give it as `after` for the next page.' })
  readonly endCursor!: string | null;
}

export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };

/** The place of a page in its list. A search for what is rare may give an empty page before the last. */
export class PagePlace<Item> implements PageInfo {
  constructor(
    private readonly page: Page<Item>,
    private readonly cursorOf: (item: Item) => string,
    private readonly after: string | null | undefined,
  ) {}

  get hasNextPage(): boolean {
    return this.page.nextCursor !== null;
  }

  get hasPreviousPage(): boolean {
    return typeof this.after === 'string';
  }

  get startCursor(): string | null {
    return this.#cursorAt(0);
  }

  get endCursor(): string | null {
    return this.page.nextCursor ?? this.#cursorAt(-1);
  }

  #cursorAt(index: number): string | null {
    const item = this.page.items.at(index);
    return item === undefined ? null : this.cursorOf(item);
  }
}
