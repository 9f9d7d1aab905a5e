import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const newUri = (): string => `https://${uniqueName('orders')}.example.org`;
const create = (fields: object, name = uniqueName('service')): Promise<Answer> =>
  gatehouse.api.post('/v1/services', { token, body: { name, scopes: [], ...fields } });
const patch = (name: string, body: object): Promise<Answer> =>
  gatehouse.api.patch(`/v1/services/${name}`, { token, body });
const outcome = ({ status, body }: Answer): [number, string] => [status, body.code];

describe('the audience of a service', () => {
  test('is told as it was written, and is none at first', async () => {
    const none = (await create({})).body;
    expect(none).toMatchObject({ audience: null, permissions: [], grants: [] });
    const audience = newUri().replace('https', 'HTTPS');
    expect((await patch(none.name, { audience })).body.audience).toBe(audience);
    expect((await gatehouse.api.get(`/v1/services/${none.name}`, { token })).body.audience).toBe(audience);
    expect((await patch(none.name, { audience: null })).body.audience).toBe(null);
  });

  test('is one service alone, in every spelling, also of one that is deactivated', async () => {
    const audience = newUri();
    const { name } = (await create({ audience })).body;
    await patch(name, { status: 'deactivated' });
    expect(outcome(await create({ audience: `${audience.toUpperCase()}:443/` }))).toEqual([409, 'audience-taken']);
    const other = (await create({})).body.name;
    expect(outcome(await patch(other, { audience: `${audience}/` }))).toEqual([409, 'audience-taken']);
    await patch(name, { audience: null });
    expect((await patch(other, { audience })).status).toBe(200);
    expect((await patch(other, { audience: `${audience}/` })).body.audience).toBe(`${audience}/`);
  });

  test("is never Gatehouse's own", async () => {
    expect(outcome(await create({ audience: 'HTTP://Gatehouse.test/' }))).toEqual([409, 'audience-taken']);
  });
});

test('permissions are kept sorted and each once', async () => {
  const { name, permissions } = (await create({ permissions: ['orders:write', 'orders:read', 'orders:write'] })).body;
  expect(permissions).toEqual(['orders:read', 'orders:write']);
  expect((await patch(name, { permissions: [] })).body.permissions).toEqual([]);
});

describe('grants', () => {
  test('name the audience as its service has registered it', async () => {
    const audience = newUri();
    await create({ audience });
    const grants = [{ audience: `${audience.toUpperCase()}/`, permissions: ['b', 'a'] }];
    const created = (await create({ grants })).body;
    expect(created.grants).toEqual([{ audience, permissions: ['a', 'b'] }]);
    expect((await patch(created.name, { description: 'the same' })).body.grants).toEqual(created.grants);
    expect((await patch(created.name, { grants: [] })).body.grants).toEqual([]);
  });

  test('may name what the same request registers', async () => {
    const audience = newUri();
    const grants = [{ audience, permissions: ['a'] }];
    expect((await create({ audience, grants })).body.grants).toEqual(grants);
  });

  test('of an audience that no service has are refused, and nothing is kept', async () => {
    const name = uniqueName('service');
    const grants = [{ audience: newUri(), permissions: [] }];
    const refused = await create({ grants }, name);
    expect(outcome(refused)).toEqual([400, 'unknown-audience']);
    expect(refused.body.errors).toMatchObject([{ path: 'grants.0.audience', code: 'unknown-audience' }]);
    expect((await gatehouse.api.get(`/v1/services/${name}`, { token })).status).toBe(404);
  });

  test('of one audience twice are refused', async () => {
    const audience = newUri();
    await create({ audience });
    const grants = [audience, `${audience}/`].map((uri) => ({ audience: uri, permissions: [] }));
    expect(outcome(await create({ grants }))).toEqual([400, 'invalid-request']);
  });
});

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `p${at}`);
const refusedFields: [string, object][] = [
  ['no URI', { audience: 'orders' }],
  ['a fragment', { audience: 'https://orders.example.org/#a' }],
  ['501 characters', { audience: `https://a.example/${'a'.repeat(483)}` }],
  ['an empty audience', { audience: '' }],
  ['a permission with a blank', { permissions: ['orders read'] }],
  ['a permission with a quote', { permissions: ['"'] }],
  ['a permission of 129 characters', { permissions: ['p'.repeat(129)] }],
  ['an empty permission', { permissions: [''] }],
  ['201 permissions', { permissions: many(201) }],
  ['51 grants', { grants: many(51).map((audience) => ({ audience, permissions: [] })) }],
  ['a grant of 201 permissions', { grants: [{ audience: 'https://a.example', permissions: many(201) }] }],
  ['a grant without permissions', { grants: [{ audience: 'https://a.example' }] }],
];
test.each(refusedFields)('%s is refused', async (_, fields) => {
  expect(outcome(await create(fields))).toEqual([400, 'invalid-request']);
});

test('an audit row says what was granted, before and after', async () => {
  const audience = newUri();
  const { name } = (await create({})).body;
  await patch(name, { audience, permissions: ['a'], grants: [{ audience, permissions: ['a'] }] });
  await patch(name, { audience });
  const rows = (await gatehouse.api.get('/v1/audit?event=service-changed&limit=100', { token })).body.items.filter(
    ({ details }: { details: { service: string } }) => details.service === name,
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].details).toMatchObject({
    changed: ['audience', 'permissions', 'grants'],
    from: { audience: null, permissions: [], grants: [] },
    to: { audience, permissions: ['a'], grants: [{ audience, permissions: ['a'] }] },
  });
});
