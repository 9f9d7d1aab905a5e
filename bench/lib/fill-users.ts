import type { Database } from './database.ts';
import { insertUsers } from './generated-users.ts';

/**
 * Fills a migrated database with generated users: the search's index is made in one go
 * afterwards, as a restore does.
 */
export async function fillUsers(
  database: Pick<Database, 'query'>,
  count: number,
  passwordHash: string,
  profiles: 'with-profiles' | 'without-profiles' = 'without-profiles',
): Promise<void> {
  const name = 'users_search_text_trigram';
  const [index] = await database.query<{ indexdef: string }>('select indexdef from pg_indexes where indexname = $1', [
    name,
  ]);
  if (!index) throw new Error('this database has no schema yet: run `npm run cli -- migrate` first');
  await database.query("set maintenance_work_mem = '256MB'");
  await database.query(`drop index ${name}`);
  await database.query(insertUsers(profiles), [count, passwordHash]);
  await database.query(index.indexdef);
  await database.query('vacuum analyze users');
}
