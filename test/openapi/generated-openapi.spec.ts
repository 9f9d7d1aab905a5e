import { resolve } from 'node:path';

import { validate } from '@readme/openapi-parser';
import { expect, test } from 'vitest';

import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { PUBLIC_URL: 'http://127.0.0.1:3000' } });

const read = async (): Promise<any> => (await gatehouse.api.get('/openapi.json')).body;

test('openapi.json is the document that the service answers', async () => {
  const text = `${JSON.stringify(await read(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(resolve(import.meta.dirname, '../../openapi.json'));
});

test('the document is valid OpenAPI 3.1', async () => {
  expect(await validate(await read())).toMatchObject({ valid: true });
});

test('every operation has an identifier of its own, says who may call it and what it answers', async () => {
  const { paths } = await read();
  const operations: any[] = Object.values<object>(paths).flatMap((item) => Object.values(item));
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operationId, security, responses } of operations) {
    expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(security, operationId).toBeInstanceOf(Array);
    expect(Object.keys(responses), operationId).toEqual(expect.arrayContaining(['400', '503']));
  }
});

/** Every object in the document. */
const objectsIn = (value: unknown): readonly any[] =>
  typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(objectsIn)] : [];

test('generated types can hold what is described: nothing beside named members but what may be anything', async () => {
  const named = objectsIn(await read()).filter(({ type, properties }) => type === 'object' && properties);
  expect(named.length).toBeGreaterThan(10);
  for (const { properties, additionalProperties = {} } of named) {
    expect([false, true, '{}'], Object.keys(properties).join()).toContain(
      typeof additionalProperties === 'object' ? JSON.stringify(additionalProperties) : additionalProperties,
    );
  }
});

test('a form is described by the members that it has', async () => {
  const { paths, components } = await read();
  const { schema } = paths['/v1/users'].post.requestBody.content['multipart/form-data'];
  const { properties, required } =
    components.schemas.CreateUser ?? paths['/v1/users'].post.requestBody.content['application/json'].schema;
  expect(Object.keys(schema.properties)).toEqual([...Object.keys(properties), 'avatar']);
  expect(schema.required).toEqual(required);
});
