import { Migration } from '@mikro-orm/migrations';

const indexes = {
  users_subject_unique: ['unique index', 'users ((coalesce(subject, id::text)))'],
  users_roles_index: ['index', "users using gin (roles) where roles <> '{user}'"],
  users_profile_index: ['index', "users using gin (profile jsonb_path_ops) where profile <> '{}'"],
  users_metadata_index: ['index', "users using gin (metadata jsonb_path_ops) where metadata <> '{}'"],
} as const;

/**
 * Indexes of what 0019 added to users. Made in 0019's transaction they held all requests up, for
 * 3.4 s at 200,000 users. PGlite has no other replicas, and one connection.
 */
export class UserIndexes extends Migration {
  readonly #isAlone = this.driver.constructor.name === 'PgliteDriver';

  /** PostgreSQL makes no index concurrently in a transaction. */
  override isTransactional(): boolean {
    return this.#isAlone;
  }

  override up(): void {
    const how = this.#isAlone ? '' : 'concurrently';
    for (const [name, [kind, on]] of Object.entries(indexes)) {
      // one that was interrupted leaves an invalid index
      this.addSql(`drop index ${how} if exists ${name}`);
      this.addSql(`create ${kind} ${how} ${name} on ${on}`);
    }
  }
}
