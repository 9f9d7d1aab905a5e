import { MikroORM } from '@mikro-orm/sql';
import { expect, test } from 'vitest';

import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

test('the migrations make just the schema that the entities describe', async () => {
  const orm = gatehouse.app.get(MikroORM);
  const diff = await orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false });
  expect(diff.trim()).toBe('');
});
