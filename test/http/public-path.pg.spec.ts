import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi } from '../support/api.js';
import { freePort } from '../support/free-port.js';
import { admin, newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { form, picture } from '../support/images.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { createStrippingProxy } from '../support/stripping-proxy.js';

const proxy = createStrippingProxy('/auth');
let gatehouse: Gatehouse;
let api: Api;
/** How the world calls the service. */
let base: string;
let token: string;
let person: Person;

beforeAll(async () => {
  const port = await freePort();
  base = `http://127.0.0.1:${port}/auth`;
  gatehouse = await startGatehouse({ PUBLIC_URL: base });
  await proxy.listen(port, gatehouse.url);
  api = await createApi(base);
  token = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  proxy.stop();
  await gatehouse.stop();
});

/** What is at an address that an answer to `path` names, as the client resolves it. */
const follow = async (path: string, reference: string): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(new URL(reference, base + path), { headers, redirect: 'manual' })).status;
};

describe('behind a proxy that takes the path of PUBLIC_URL off', () => {
  test('`Location` names what was made', async () => {
    const user = await api.post('/v1/users', { body: registration() });
    expect(user.headers.get('location')).toBe(`/auth/v1/users/${user.body.id}`);
    expect(await follow('/v1/users', user.headers.get('location') ?? '')).toBe(200);
    const service = await api.post('/v1/services', { token, body: { name: 'shop', scopes: [] } });
    expect(await follow('/v1/services', service.headers.get('location') ?? '')).toBe(200);
  });

  test.each(['/v1/users?limit=1', '/v1/audit?limit=1', '/v1/messages?limit=1'])(
    '`Link` names the page after %s',
    async (path) => {
      for (let count = 0; count < 2; count++) await api.post('/v1/messages', { token, body: { body: 'a' } });
      const { headers } = await api.get(path, { token });
      const [, reference = ''] = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '') ?? [];
      expect(reference).toMatch(/^\/auth\/v1\//);
      expect(await follow(path, reference)).toBe(200);
    },
  );

  test.each(['/v1/users/me', '/nothing', '/v1/users/%zz', '/v1/auth/login?x=%00'])(
    '`instance` of a problem at %s is below it',
    async (path) => {
      const { body } = await api.get(path);
      expect(body.instance).toBe(`/auth${path.split('?', 1)[0]}`);
    },
  );

  test('so is that of a GraphQL error', async () => {
    const { body } = await api.post('/graphql', { body: { query: '{ me { id } }' } });
    expect(body.errors[0].extensions.instance).toBe('/auth/graphql');
  });

  test('the log has paths as they came', async () => {
    await api.get('/v1/users/me');
    expect(gatehouse.log.at(-1)).toMatchObject({ path: '/v1/users/me' });
  });

  test('the device cookie goes to this service alone', async () => {
    const body = { userName: person.userName, password: person.password };
    const { headers } = await api.post('/v1/auth/login', { body });
    expect(headers.get('set-cookie')).toContain('; Path=/auth;');
  });

  test('pictures and messages are at addresses that work', async () => {
    const file = await picture().png().toBuffer();
    const { body } = await api.put('/v1/users/me/avatar', { token, body: form(file) });
    expect(body.avatar.url).toMatch(new RegExp(`^${base}/v1/avatars/`));
    expect(await follow('/', body.avatar.url)).toBe(200);
    const shown = await api.get('/v1/users/me/avatar', { token });
    expect(await follow('/v1/users/me/avatar', shown.headers.get('location') ?? '')).toBe(200);
    const message = await api.post('/v1/messages', { token, body: { body: 'a' } });
    expect(message.body.url).toMatch(new RegExp(`^${base}/m#`));
    expect(await follow('/', message.body.url)).toBe(200);
  });

  test('the metadata and the document name addresses that work', async () => {
    const { body } = await api.get('/.well-known/openid-configuration');
    expect([body.issuer, body.jwks_uri]).toEqual([base, `${base}/.well-known/jwks.json`]);
    expect(await follow('/', body.jwks_uri)).toBe(200);
    const document = await (await fetch(`${base}/openapi.json`)).json();
    expect(document).toMatchObject({ servers: [{ url: base }] });
  });

  test.each(['/docs', '/graphql', '/m', '/m/new', '/account/verify', '/account/reset', '/account/invitation'])(
    'the page at %s loads all of its parts',
    async (path) => {
      const page = await fetch(base + path, { headers: { accept: 'text/html' } });
      expect(page.status).toBe(200);
      const references = [...(await page.text()).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(
        ([, reference = '']) => reference,
      );
      expect(references).not.toEqual([]);
      for (const reference of references) expect(await follow(path, reference), reference).toBe(200);
    },
  );
});

test('without a path in PUBLIC_URL nothing is put before paths', async () => {
  const plain = await startGatehouse({ PUBLIC_URL: 'https://id.example.org/' });
  const user = await plain.api.post('/v1/users', { body: registration() });
  const login = await plain.api.post('/v1/auth/login', { body: admin });
  const { body } = await plain.api.get('/v1/users/me');
  await plain.stop();
  expect(user.headers.get('location')).toBe(`/v1/users/${user.body.id}`);
  expect(login.headers.get('set-cookie')).toContain('; Path=/;');
  expect(body.instance).toBe('/v1/users/me');
});
