import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

/** One kind of data that a feature keeps about users (GDPR articles 15 and 17). */
export type PersonalDataSource = {
  /** Its name in an export: a plural noun in camelCase. */
  readonly name: string;
  /** Each `table.column` that refers to a user. A test compares them with the schema. */
  readonly references: readonly string[];
  /** All that is kept, without secrets, in a stable order, page by page. Times are RFC 3339. */
  readonly export: (userId: string) => AsyncIterable<Readonly<Record<string, unknown>>>;
  /** Removes it in the transaction that deletes the user, before the user's row is deleted. */
  readonly erase: (em: SqlEntityManager, userId: string) => Promise<void>;
};

/** Features register what they keep about users, so that `users` need not know the features. */
@Injectable()
export class PersonalData {
  readonly #sources = new Map<string, PersonalDataSource>();

  /** In the order of registration, which is the order of modules. */
  get sources(): readonly PersonalDataSource[] {
    return [...this.#sources.values()];
  }

  /** Call in `onModuleInit`. @throws when the name is taken */
  register(source: PersonalDataSource): void {
    if (this.#sources.has(source.name)) throw new Error(`The personal data ${source.name} are registered twice`);
    this.#sources.set(source.name, source);
  }

  /** Erases one source after the other: a transaction has one connection. */
  async erase(em: SqlEntityManager, userId: string): Promise<void> {
    for (const source of this.sources) await source.erase(em, userId);
  }
}
