import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import { type EmptyDatabase, emptyDatabase } from '../support/empty-database.js';
import { registration, signInAdmin, uniqueName } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const people = [
  ['Νίκος', 'Γκάλης', 'ΝΊΚΟΣ ΓΚΆΛΗΣ'],
  ['Иван', 'Пётр', 'ИВАН'],
  ['Karl', 'Groß', 'GROSS'],
  ['Ilhan', 'Işık', 'ILHAN IŞIK'],
] as const;

// ICU brings its locales along; what the C library knows differs from machine to machine
describe.for([
  ['C', ''],
  ['Turkish', "locale_provider icu icu_locale 'tr-TR'"],
])('in a database whose locale is %s', ([, options = '']) => {
  let database: EmptyDatabase;
  let gatehouse: Gatehouse;
  let token: string;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));

  beforeAll(async () => {
    database = await emptyDatabase(`template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C' ${options}`);
    const environment = { DATABASE_URL: database.url, DATA_DIR: folder };
    gatehouse = await startGatehouse({}, { environment, drop: database.drop });
    token = (await signInAdmin(gatehouse)).token;
    for (const [firstName, lastName] of people) {
      await gatehouse.api.post('/v1/users', { body: registration({ userName: uniqueName('u'), firstName, lastName }) });
    }
  });
  afterAll(async () => {
    await gatehouse.stop();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const find = async (q: string): Promise<string[]> => {
    const { body } = await gatehouse.api.get(`/v1/users?q=${encodeURIComponent(q)}`, { token });
    return body.items.map(({ lastName }: { lastName: string }) => lastName);
  };

  test.for(people)('%s %s is found by %s', async ([, lastName, q]) => {
    expect(await find(q)).toEqual([lastName]);
    // once more, when a sample of the texts is there to choose trigrams by
    await expect.poll(() => find(q)).toEqual([lastName]);
  });

  test('what the index knows is looked for in the index', async () => {
    const plan = await gatehouse.app
      .get(Sql)
      .tuples<[any]>(
        { text: "explain (format json) select from users where search_text like '%' || search_fold('GROSS') || '%'" },
        [],
        ['seqscan'],
      );
    expect(JSON.stringify(plan)).toContain('users_search_text_trigram');
  });
});
