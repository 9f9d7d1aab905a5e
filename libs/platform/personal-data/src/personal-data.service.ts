import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

/** One kind of data that a feature keeps about users (GDPR articles 15 and 17). */
export type PersonalDataHolder = {
  /** What an export calls it: a plural noun in camelCase. */
  readonly name: string;
  /** Each `table.column` with a reference to a user that it looks after; a test holds them against the schema. */
  readonly references: readonly string[];
  /** All that is kept about the user, in a stable order and page by page, without secrets. Times are RFC 3339. */
  readonly export: (userId: string) => AsyncIterable<Readonly<Record<string, unknown>>>;
  /** Removes it, in the transaction that deletes the user and before the user's row goes. */
  readonly erase: (em: SqlEntityManager, userId: string) => Promise<void>;
};

/** Lets users be exported and erased as a whole, while `users` knows none of the features that keep their data. */
@Injectable()
export class PersonalData {
  readonly #holders: PersonalDataHolder[] = [];

  /** In the order of registration, which is the order of modules. */
  get holders(): readonly PersonalDataHolder[] {
    return this.#holders;
  }

  register(holder: PersonalDataHolder): void {
    this.#holders.push(holder);
  }

  /** One after the other: a transaction has one connection. */
  async erase(em: SqlEntityManager, userId: string): Promise<void> {
    for (const holder of this.#holders) await holder.erase(em, userId);
  }
}
