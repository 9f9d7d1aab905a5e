import { MikroORM } from '@mikro-orm/sql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse;

beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(async () => {
  await gatehouse.stop();
});

test('the migrations make just the schema that the entities describe', async () => {
  const orm = gatehouse.app.get(MikroORM);
  const diff = await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false });
  expect(diff.trim()).toBe('');
});
