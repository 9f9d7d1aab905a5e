import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, signInAdmin } from '../support/people.js';
import {
  askToken,
  basic,
  keyOf,
  newService,
  newTarget,
  patchService,
  type Service,
  type Target,
} from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Fields = Record<string, string>;

const gatehouse = useGatehouse();
let bossToken: string;
let userToken: string;
/** May read users and introspect, and has grants at `orders`, `billing` and `asleep`. */
let shop: Service;
let orders: Target;
/** Takes any permission. */
let billing: Target;
/** Has an audience, and grants nobody anything. */
let closed: Target;
let asleep: Target;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  userToken = (await newPerson(gatehouse)).token;
  shop = await newService(gatehouse, { token: bossToken, scopes: ['users:read', 'tokens:introspect'] });
  orders = await newTarget(gatehouse, bossToken, ['orders:read', 'orders:write']);
  [billing, closed, asleep] = [
    await newTarget(gatehouse, bossToken),
    await newTarget(gatehouse, bossToken),
    await newTarget(gatehouse, bossToken),
  ];
  const grants = [
    { audience: orders.audience, permissions: ['orders:read', 'orders:write', 'orders:burn'] },
    { audience: billing.audience, permissions: ['invoices:pay'] },
    { audience: asleep.audience, permissions: ['dream'] },
  ];
  await patchService(gatehouse, { token: bossToken, name: shop.name, grants });
  await patchService(gatehouse, { token: bossToken, name: asleep.name, status: 'deactivated' });
});

const ask = (fields: Fields = {}, headers: Fields = shop.headers): Promise<Answer> =>
  askToken(gatehouse, headers, fields);
const post = ({ name, secret }: Service): Fields => ({ client_id: name, client_secret: secret });

describe('refusals of RFC 6749 §5.2 and RFC 8707 §2:', () => {
  type Refusal = readonly [
    name: string,
    form: () => Fields | string,
    headers: (() => Fields) | undefined,
    status: number,
    error: string,
  ];
  const grant = 'grant_type=client_credentials';
  const refusals: readonly Refusal[] = [
    ['no grant_type', () => 'scope=users:read', undefined, 400, 'invalid_request'],
    ['an empty grant_type', () => ({ grant_type: '' }), undefined, 400, 'invalid_request'],
    ['grant_type twice', () => `${grant}&${grant}`, undefined, 400, 'invalid_request'],
    ['scope twice', () => `${grant}&scope=users:read&scope=users:read`, undefined, 400, 'invalid_request'],
    ['an unknown parameter twice', () => `${grant}&a=1&a=2`, undefined, 400, 'invalid_request'],
    ['two ways to authenticate', () => post(shop), undefined, 400, 'invalid_request'],
    ['the client_id of another', () => ({ client_id: orders.name }), undefined, 400, 'invalid_request'],
    [
      'a password grant',
      () => ({ grant_type: 'password', username: 'a', password: 'b' }),
      undefined,
      400,
      'unsupported_grant_type',
    ],
    [
      'a refresh',
      () => ({ grant_type: 'refresh_token', refresh_token: 'a' }),
      undefined,
      400,
      'unsupported_grant_type',
    ],
    ['another case', () => ({ grant_type: 'Client_Credentials' }), undefined, 400, 'unsupported_grant_type'],
    ['a scope that it does not have', () => ({ scope: 'users:read users:write' }), undefined, 400, 'invalid_scope'],
    ['a scope that there is not', () => ({ scope: 'root' }), undefined, 400, 'invalid_scope'],
    ['a scope of spaces', () => ({ scope: '  ' }), undefined, 400, 'invalid_scope'],
    ['a scope with a comma', () => ({ scope: 'users:read,tokens:introspect' }), undefined, 400, 'invalid_scope'],
    [
      'our scopes at another audience',
      () => ({ resource: orders.audience, scope: 'users:read' }),
      undefined,
      400,
      'invalid_scope',
    ],
    [
      'a permission that is not granted',
      () => ({ resource: orders.audience, scope: 'orders:read orders:all' }),
      undefined,
      400,
      'invalid_scope',
    ],
    [
      'a permission that the audience does not know',
      () => ({ resource: orders.audience, scope: 'orders:burn' }),
      undefined,
      400,
      'invalid_scope',
    ],
    ['an unknown resource', () => ({ resource: 'https://elsewhere.example.org' }), undefined, 400, 'invalid_target'],
    ['a resource that is no URI', () => ({ resource: 'orders' }), undefined, 400, 'invalid_target'],
    ['a resource with a fragment', () => ({ resource: `${orders.audience}#a` }), undefined, 400, 'invalid_target'],
    ['another path', () => ({ resource: `${orders.audience}/a` }), undefined, 400, 'invalid_target'],
    ['a resource without a grant', () => ({ resource: closed.audience }), undefined, 400, 'invalid_target'],
    ['the resource of a deactivated service', () => ({ resource: asleep.audience }), undefined, 400, 'invalid_target'],
    [
      'two resources',
      () => `${grant}&resource=${orders.audience}&resource=${billing.audience}`,
      undefined,
      400,
      'invalid_target',
    ],
    ['no credentials', () => ({}), () => ({}), 401, 'invalid_client'],
    ['a wrong secret', () => ({}), () => keyOf(shop.name, 'wrong'), 401, 'invalid_client'],
    ['a wrong secret in Basic', () => ({}), () => basic(shop.name, 'wrong'), 401, 'invalid_client'],
    [
      'a wrong secret in the form',
      () => ({ ...post(shop), client_secret: 'wrong' }),
      () => ({}),
      401,
      'invalid_client',
    ],
    ['a client_id alone', () => ({ client_id: shop.name }), () => ({}), 401, 'invalid_client'],
    ['an unknown client', () => ({}), () => basic('nobody-here', shop.secret), 401, 'invalid_client'],
    ['a deactivated client', () => ({}), () => asleep.headers, 401, 'invalid_client'],
    ["a user's token", () => ({}), () => ({ authorization: `Bearer ${userToken}` }), 401, 'invalid_client'],
    [
      "a user's token beside the key",
      () => ({}),
      () => ({ ...shop.headers, authorization: `Bearer ${userToken}` }),
      401,
      'invalid_client',
    ],
  ];
  test.each(refusals)('%s', async (_, form, headers, status, error) => {
    const fields = form();
    const answer =
      typeof fields === 'string'
        ? await gatehouse.api.post('/v1/auth/token', { body: new URLSearchParams(fields), headers: shop.headers })
        : await ask(fields, headers?.());
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="gatehouse"' : null);
    // RFC 6749 §5.2: no other characters
    expect(answer.body.error_description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
  });

  test('the description names the field', async () => {
    const { body } = await ask({ grant_type: '' });
    expect(body.error_description).toMatch(/^grant_type: /);
  });

  test("a service's own token gives no other token", async () => {
    const { access_token: token } = (await ask()).body;
    const answer = await ask({}, { authorization: `Bearer ${token}` });
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
  });

  test('a JSON body is refused', async () => {
    const body = { grant_type: 'client_credentials' };
    const answer = await gatehouse.api.post('/v1/auth/token', { body, headers: shop.headers });
    expect([answer.status, answer.body.error]).toEqual([415, 'invalid_request']);
  });
});
