import { resolve } from 'node:path';

import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

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
