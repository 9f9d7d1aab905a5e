import { Migration } from '@mikro-orm/migrations';

/**
 * Lists of users that stay fast: a text to search in with its trigram index, and indexes for the
 * narrow filters.
 */
export class UserLists extends Migration {
  override async up(): Promise<void> {
    const schema = await this.#trigramSchema();
    // pages go on after a name: in the order of code points, which no update of the system's
    // locales can change
    this.addSql('alter table users alter column user_name_key type text collate "C"');
    this.addSql(`alter table users add column search_text text generated always as
      (lower(user_name || chr(10) || first_name || ' ' || last_name || chr(10) || coalesce(email, ''))) stored`);
    this.addSql(`create index users_search_text_trigram on users using gin (search_text "${schema}".gin_trgm_ops)`);
    this.addSql(
      "create index users_deactivated_created_at_index on users (created_at, id) where status = 'deactivated'",
    );
    this.addSql("create index users_deactivated_user_name_index on users (user_name_key) where status = 'deactivated'");
    this.addSql(
      "create index users_admin_created_at_index on users (created_at, id) where roles @> array['admin']::text[]",
    );
    this.addSql(
      "create index users_admin_user_name_index on users (user_name_key) where roles @> array['admin']::text[]",
    );
  }

  /**
   * Where the trigram extension is: some providers keep extensions in a schema that is not on the
   * search path.
   */
  async #trigramSchema(): Promise<string> {
    try {
      await this.execute('create extension if not exists pg_trgm');
    } catch (cause) {
      throw new Error(
        'The search for users needs the PostgreSQL extension pg_trgm, which this database user may not create. ' +
          'It comes with PostgreSQL (Debian: postgresql-contrib). Have a superuser, or whoever owns the database, ' +
          'run "create extension pg_trgm" in this database, or grant CREATE on it; then start again.',
        { cause },
      );
    }
    const rows = await this.execute(
      "select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_trgm'",
    );
    const [row] = rows;
    return row && 'schema' in row ? String(row['schema']) : 'public';
  }
}
