import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { basic, newService, newTarget, patchService, type Service, type Target, tokenOf } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let bossToken: string;
let person: Person;
/** May read and change users, introspect and revoke. */
let shop: Service;
let shopToken: string;
let orders: Target;
/** The shop's at `orders`. */
let ordersToken: string;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
  const scopes = ['users:read', 'users:write', 'tokens:introspect', 'tokens:revoke'];
  shop = await newService(gatehouse, { token: bossToken, scopes });
  orders = await newTarget(gatehouse, bossToken);
  const grants = [{ audience: orders.audience, permissions: ['orders:read'] }];
  await patchService(gatehouse, { token: bossToken, name: shop.name, grants });
  shopToken = await tokenOf(gatehouse, shop);
  ordersToken = await tokenOf(gatehouse, shop, { resource: orders.audience });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const list = (token: string, headers?: Record<string, string>): Promise<Answer> =>
  gatehouse.api.get('/v1/users?limit=1', { token, ...(headers && { headers }) });
const ask = (path: string, token: string, headers: Record<string, string>): Promise<Answer> =>
  gatehouse.api.post(`/v1/auth/${path}`, { body: new URLSearchParams({ token }), headers });
const logOf = ({ headers }: Answer): Record<string, unknown> | undefined =>
  gatehouse.log.find(({ requestId, msg }) => requestId === headers.get('x-request-id') && msg === 'request');

describe('at the routes of Gatehouse a token does what the key does:', () => {
  test('its scopes open what they open, with the same line in the log', async () => {
    // twice: the second time it comes from the cache of verified tokens
    for (const answer of [await list(shopToken), await list(shopToken)]) {
      expect(answer.status, answer.text).toBe(200);
      await expect.poll(() => logOf(answer)?.['caller']).toBe(`service:${shop.name}`);
    }
  });

  test('a scope that was not asked for opens nothing', async () => {
    const narrow = await tokenOf(gatehouse, shop, { scope: 'tokens:introspect' });
    const answer = await list(narrow);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect((await ask('introspect', 'a', bearer(narrow))).status).toBe(200);
    expect((await ask('revoke', 'a', bearer(narrow))).body.error).toBe('insufficient_scope');
  });

  test('it reads what any service may read of itself', async () => {
    const path = `/v1/services/${shop.name}/usage`;
    expect((await gatehouse.api.get(path, { token: shopToken })).status).toBe(200);
    expect((await gatehouse.api.get(`/v1/services/${orders.name}/usage`, { token: shopToken })).status).toBe(403);
  });

  test('it is no user', async () => {
    const answers = [
      await gatehouse.api.get('/v1/users/me', { token: shopToken }),
      await gatehouse.api.get('/v1/services', { token: shopToken }),
      await gatehouse.api.post('/v1/auth/logout', { token: shopToken }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 401]);
  });

  test('a session that it begins is of the service, and ends with it', async () => {
    const front = await newService(gatehouse, { token: bossToken, scopes: [] });
    const body = { userName: person.userName, password: person.password };
    const token = await tokenOf(gatehouse, front);
    const { accessToken } = (await gatehouse.api.post('/v1/auth/login', { body, token })).body;
    expect(takeApart(gatehouse, accessToken).claims['client_id']).toBe(front.name);
    await gatehouse.api.delete(`/v1/services/${front.name}`, { token: bossToken });
    expect((await gatehouse.api.get('/v1/users/me', { token: accessToken })).status).toBe(401);
    expect((await gatehouse.api.post('/v1/auth/login', { body, token })).body.code).toBe('invalid-token');
  });

  test("at a sign-in only a service's token is looked at", async () => {
    const body = { userName: person.userName, password: person.password };
    const expired = withClaims(takeApart(gatehouse, person.token), { exp: nowSeconds() - 1 });
    for (const headers of [bearer(expired), bearer('garbage'), basic('a', 'b'), bearer(person.token)]) {
      expect((await gatehouse.api.post('/v1/auth/login', { body, headers })).status).toBe(200);
    }
    const stale = withClaims(takeApart(gatehouse, shopToken), { exp: nowSeconds() - 1 });
    const answer = await gatehouse.api.post('/v1/auth/login', { body, headers: bearer(stale) });
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid-token']);
  });

  test('over GraphQL too', async () => {
    const body = { query: '{ users(first: 1) { nodes { id } } }' };
    const answer = await gatehouse.api.post('/graphql', { token: shopToken, body });
    expect(answer.body.errors).toBeUndefined();
    expect(answer.body.data.users.nodes).toHaveLength(1);
  });

  test('a token for another audience is refused', async () => {
    expect((await list(ordersToken)).body.code).toBe('invalid-token');
  });
});

describe('beside a key', () => {
  test('the token of the same service is taken, with its own scopes', async () => {
    const narrow = await tokenOf(gatehouse, shop, { scope: 'users:read' });
    expect((await list(narrow, shop.headers)).status).toBe(200);
    expect((await ask('introspect', 'a', { ...shop.headers, ...bearer(shopToken) })).status).toBe(200);
    const refused = await ask('introspect', 'a', { ...shop.headers, ...bearer(narrow) });
    expect(refused.body.error).toBe('insufficient_scope');
  });

  test('the token of another service is refused', async () => {
    const body = { userName: person.userName, password: person.password };
    const headers = { ...orders.headers, ...bearer(shopToken) };
    const answers = [
      await list(shopToken, orders.headers),
      await ask('introspect', 'a', headers),
      await gatehouse.api.post('/v1/auth/login', { body, headers }),
    ];
    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual(
      Array.from({ length: 3 }, () => [401, 'invalid-token']),
    );
  });
});

const limited = (plan: object): Promise<Service> =>
  newService(gatehouse, { token: bossToken, scopes: ['users:read', 'messages:write', 'tokens:introspect'], plan });

describe('its requests count on the plan of the service,', () => {
  test('with those of the key', async () => {
    const reader = await limited({ read: { limit: 3 } });
    const token = await tokenOf(gatehouse, reader);
    const keyed = await gatehouse.api.get('/v1/users?limit=1', { headers: reader.headers });
    const answers = [keyed, await list(token), await ask('introspect', 'a', bearer(token)), await list(token)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[3]?.headers.get('ratelimit-policy')).toBe('"service-read";q=3;w=60');
    const path = `/v1/services/${reader.name}/usage`;
    const { classes } = (await gatehouse.api.get(path, { token: bossToken })).body;
    expect(classes.read.window).toMatchObject({ used: 3, refused: 1 });
  });

  test('before a body is read', async () => {
    const writer = await limited({ write: { limit: 1 } });
    const token = await tokenOf(gatehouse, writer);
    const send = () => gatehouse.api.post('/v1/messages', { token, body: '{"a":' });
    const answers = [await send(), await send()];
    expect(answers.map(({ body }) => body.code)).toEqual(['malformed-json', 'rate-limited']);
    expect(answers[1]?.headers.get('ratelimit-policy')).toBe('"service-write";q=1;w=60');
  });

  test('and what it is refused too', async () => {
    const reader = await limited({ read: { limit: 2 } });
    const token = await tokenOf(gatehouse, reader);
    const audit = () => gatehouse.api.get('/v1/audit', { token });
    expect([await audit(), await audit(), await audit()].map(({ status }) => status)).toEqual([403, 403, 429]);
  });

  test('and so do the tokens that it asks for', async () => {
    const caller = await limited({ login: { limit: 1 } });
    await tokenOf(gatehouse, caller);
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    const answer = await gatehouse.api.post('/v1/auth/token', { headers: caller.headers, body });
    expect([answer.status, answer.body.error]).toEqual([429, 'temporarily_unavailable']);
  });
});

describe('introspection', () => {
  test.each(['for Gatehouse', 'for another audience'])('tells of a token %s', async (whose) => {
    const token = whose === 'for Gatehouse' ? shopToken : ordersToken;
    const { sub, client_id, scope, aud, iss, exp, iat, jti } = takeApart(gatehouse, token).claims;
    const members = { sub, client_id, scope, aud, iss, exp, iat, jti };
    const { body } = await ask('introspect', token, bearer(shopToken));
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...members });
  });

  test('refuses the token of nobody that it knows as RFC 7662 §2.3 says', async () => {
    const stale = withClaims(takeApart(gatehouse, shopToken), { exp: nowSeconds() - 1 });
    const answer = await ask('introspect', 'a', bearer(stale));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_token']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="gatehouse", error="invalid_token"');
  });
});

describe('revocation', () => {
  test.each(['for Gatehouse', 'for another audience'])('ends a token %s alone', async (whose) => {
    const fields = whose === 'for Gatehouse' ? {} : { resource: orders.audience };
    const [token, other] = [await tokenOf(gatehouse, shop, fields), await tokenOf(gatehouse, shop, fields)];
    expect((await ask('revoke', token, bearer(shopToken))).status).toBe(200);
    const active = async (text: string) => (await ask('introspect', text, shop.headers)).body.active;
    expect([await active(token), await active(other)]).toEqual([false, true]);
    const rows = (await gatehouse.api.get('/v1/audit?event=token-revoked', { token: bossToken })).body.items;
    expect(rows[0]).toMatchObject({ caller: `service:${shop.name}`, details: { service: shop.name } });
  });
});

describe('a token with claims of both kinds is no token:', () => {
  test.each([
    ['a session', { sid: '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e' }],
    ['roles', { roles: ['admin'] }],
    ['a session and roles', { sid: '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e', roles: ['admin'] }],
    ['no roles, but a list of them', { roles: [] }],
    ['another client', { client_id: 'gatehouse' }],
    ['another subject', { sub: 'gatehouse' }],
    ['a list for scope', { scope: ['users:read'] }],
    ['no scope', { scope: undefined }],
    ['no generation', { gen: undefined }],
  ])('of a service with %s', async (_, claims) => {
    const token = withClaims(takeApart(gatehouse, shopToken), claims);
    expect((await list(token)).body.code).toBe('invalid-token');
    const { body } = await gatehouse.api.post('/v1/auth/explain', { token: bossToken, body: { token } });
    expect(body).toMatchObject({ isAccepted: false, reason: 'malformed' });
  });

  test('of a user without session and roles, with a scope', async () => {
    const claims = { sid: undefined, roles: undefined, scope: 'users:read' };
    const token = withClaims(takeApart(gatehouse, person.token), claims);
    expect((await list(token)).body.code).toBe('invalid-token');
  });

  test('of a service that there is not', async () => {
    const token = withClaims(takeApart(gatehouse, shopToken), { sub: 'nobody-here', client_id: 'nobody-here' });
    expect((await list(token)).body.code).toBe('invalid-token');
  });

  test('scopes that the service does not have open nothing', async () => {
    const token = withClaims(takeApart(gatehouse, await tokenOf(gatehouse, orders)), { scope: 'users:read root' });
    expect((await list(token)).body.code).toBe('forbidden');
  });
});
