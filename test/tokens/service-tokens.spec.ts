import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { signInAdmin } from '../support/people.js';
import {
  askToken,
  basic,
  newService,
  newTarget,
  patchService,
  type Service,
  type Target,
} from '../support/services.js';
import { nowSeconds, takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Fields = Record<string, string>;

const gatehouse = useGatehouse();
let bossToken: string;
/** May read users and introspect, and has grants at `orders` and `billing`. */
let shop: Service;
let orders: Target;
/** Takes any permission. */
let billing: Target;
/** Has an audience, and grants nobody anything. */
let closed: Target;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  shop = await newService(gatehouse, { token: bossToken, scopes: ['users:read', 'tokens:introspect'] });
  orders = await newTarget(gatehouse, bossToken, ['orders:read', 'orders:write']);
  billing = await newTarget(gatehouse, bossToken);
  closed = await newTarget(gatehouse, bossToken);
  const grants = [
    { audience: orders.audience, permissions: ['orders:read', 'orders:write', 'orders:burn'] },
    { audience: billing.audience, permissions: ['invoices:pay'] },
  ];
  await patchService(gatehouse, { token: bossToken, name: shop.name, grants });
});

const ask = (fields: Fields = {}, headers: Fields = shop.headers): Promise<Answer> =>
  askToken(gatehouse, headers, fields);
const claimsOf = ({ body }: Answer): Record<string, unknown> => takeApart(gatehouse, body.access_token).claims;
const post = ({ name, secret }: Service): Fields => ({ client_id: name, client_secret: secret });

describe('the token', () => {
  test('has the header and the claims of RFC 9068, and no session', async () => {
    const answer = await ask();
    expect(answer.status).toBe(200);
    const { header, claims } = takeApart(gatehouse, answer.body.access_token);
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: 'http://gatehouse.test',
      aud: 'http://gatehouse.test',
      sub: shop.name,
      client_id: shop.name,
      scope: 'users:read tokens:introspect',
      iat: expect.any(Number),
      exp: Number(claims['iat']) + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      gen: 0,
    });
    expect(Math.abs(Number(claims['iat']) - nowSeconds())).toBeLessThan(5);
  });

  test('comes as RFC 6749 §5.1 says, without a refresh token, and is not to be stored', async () => {
    const { body, headers } = await ask();
    const { access_token: _, ...members } = body;
    expect(members).toEqual({ token_type: 'Bearer', expires_in: 900, scope: 'users:read tokens:introspect' });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  test('is another one each time', async () => {
    const [one, other] = [claimsOf(await ask()), claimsOf(await ask())];
    expect(one['jti']).not.toBe(other['jti']);
  });

  const ways: [string, () => { headers: Fields; form?: Fields }][] = [
    ['X-Service-Key', () => ({ headers: shop.headers })],
    ['client_secret_basic', () => ({ headers: basic(shop.name, shop.secret) })],
    [
      'client_secret_basic, and its own client_id',
      () => ({ headers: basic(shop.name, shop.secret), form: { client_id: shop.name } }),
    ],
    ['client_secret_post', () => ({ headers: {}, form: post(shop) })],
  ];
  test.each(ways)('is given by %s', async (_, way) => {
    const { headers, form } = way();
    expect(claimsOf(await ask(form, headers))['sub']).toBe(shop.name);
  });
});

describe('scope and audience:', () => {
  const cases: [string, () => Fields, () => { aud: string; scope: string }][] = [
    [
      'all scopes without `scope`',
      () => ({}),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read tokens:introspect' }),
    ],
    [
      'one scope of two',
      () => ({ scope: 'tokens:introspect' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'tokens:introspect' }),
    ],
    [
      'scopes in another order, twice and with more spaces',
      () => ({ scope: ' tokens:introspect  users:read users:read ' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read tokens:introspect' }),
    ],
    [
      'an empty scope is none',
      () => ({ scope: '' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read tokens:introspect' }),
    ],
    [
      'our own audience',
      () => ({ resource: 'http://gatehouse.test', scope: 'users:read' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read' }),
    ],
    [
      'our own audience, spelt otherwise',
      () => ({ resource: 'HTTP://gatehouse.TEST:80/', scope: 'users:read' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read' }),
    ],
    [
      'the permissions that the audience knows',
      () => ({ resource: orders.audience }),
      () => ({ aud: orders.audience, scope: 'orders:read orders:write' }),
    ],
    [
      'an audience in another spelling',
      () => ({ resource: `${orders.audience.toUpperCase()}:443/` }),
      () => ({ aud: orders.audience, scope: 'orders:read orders:write' }),
    ],
    [
      'one of the permissions',
      () => ({ resource: orders.audience, scope: 'orders:read' }),
      () => ({ aud: orders.audience, scope: 'orders:read' }),
    ],
    [
      'an audience that takes any permission',
      () => ({ resource: billing.audience }),
      () => ({ aud: billing.audience, scope: 'invoices:pay' }),
    ],
    [
      'unknown parameters are ignored',
      () => ({ audience: 'x', assertion: 'y', scope: 'users:read' }),
      () => ({ aud: 'http://gatehouse.test', scope: 'users:read' }),
    ],
  ];
  test.each(cases)('%s', async (_, fields, expected) => {
    const answer = await ask(fields());
    expect(answer.status, answer.text).toBe(200);
    const { aud, scope } = claimsOf(answer);
    expect({ aud, scope }).toEqual(expected());
    expect(answer.body.scope).toBe(expected().scope);
  });

  test('a service without scopes gets a token that says who it is', async () => {
    expect(claimsOf(await ask({}, closed.headers))).toMatchObject({ sub: closed.name, scope: '' });
  });
});

test('the tokens that a service gets are in the audit, a burst in one row', async () => {
  const caller = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
  for (let at = 0; at < 3; at++) await ask({}, caller.headers);
  const rows = async (): Promise<any[]> => {
    const query = `event=service-token-issued&limit=100`;
    const { body } = await gatehouse.api.get(`/v1/audit?${query}`, { token: bossToken });
    return body.items.filter(({ caller: by }: any) => by === `service:${caller.name}`);
  };
  await expect.poll(async () => (await rows()).length, { timeout: 20_000 }).toBe(1);
  const [{ details }] = await rows();
  expect(details).toEqual({ service: caller.name, audience: 'http://gatehouse.test', scope: 'users:read' });
});

test('the metadata says where and how', async () => {
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const { body } = await gatehouse.api.get(`/.well-known/${path}`);
    expect(body).toMatchObject({
      token_endpoint: 'http://gatehouse.test/v1/auth/token',
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    });
    expect(body.scopes_supported).toContain('users:read');
  }
});
