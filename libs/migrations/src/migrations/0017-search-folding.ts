import { Migration } from '@mikro-orm/migrations';

import { searchFold } from './case-folding.js';

/**
 * The text to search in is folded by a function of our own, where `lower` went by the locale of the
 * database. The column keeps its name, so that replicas of the version before go on searching in
 * it: they miss no more than they did.
 */
export class SearchFolding extends Migration {
  override async up(): Promise<void> {
    const [encoding] = await this.execute('show server_encoding');
    if (encoding?.['server_encoding'] !== 'UTF8') {
      throw new Error(
        `The database must have the encoding UTF8, not ${String(encoding?.['server_encoding'])}: names have letters of ` +
          `all alphabets. Make one by "create database … encoding 'UTF8' template template0", and move the data there.`,
      );
    }
    const [extension] = await this.execute(
      "select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_trgm'",
    );
    const schema = String(extension?.['schema'] ?? 'public');
    this.addSql(searchFold);
    // one statement, so that the table is written anew once
    this.addSql(`alter table users drop column search_text, add column search_text text generated always as
      (search_fold(user_name || chr(10) || first_name || ' ' || last_name || chr(10) || coalesce(email, ''))) stored`);
    this.addSql(`create index users_search_text_trigram on users using gin (search_text "${schema}".gin_trgm_ops)`);
  }
}
