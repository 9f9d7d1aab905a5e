import { resolve } from 'node:path';

import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse;

beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(async () => {
  await gatehouse.stop();
});

test('schema.graphql is the schema that the service answers', async () => {
  const { data } = await ask(gatehouse, getIntrospectionQuery({ inputValueDeprecation: true }));
  const text = `${printSchema(buildClientSchema(data))}\n`;
  await expect(text).toMatchFileSnapshot(resolve(import.meta.dirname, '../../schema.graphql'));
});

test('every query and every mutation has a description that is a sentence', async () => {
  const { data } = await ask(gatehouse, getIntrospectionQuery());
  const schema = buildClientSchema(data);
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.values(type?.getFields() ?? {}),
  );
  for (const { name, description } of fields) expect(description, name).toMatch(/\.$/);
});
