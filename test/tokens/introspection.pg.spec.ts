import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { isAccepted, newPerson, type Person, signInAdmin } from '../support/people.js';
import { keyOf, newService, type Service } from '../support/services.js';
import { nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Fields = Record<string, string>;
type Refusal = {
  readonly name: string;
  readonly headers?: () => Fields;
  readonly form?: () => Fields;
  readonly expected: readonly [status: number, error: string];
};

const gatehouse = useGatehouse();
let bossToken: string;
let person: Person;
/** May introspect and revoke. */
let gateway: Service;
/** May do something else. */
let stranger: Service;
let asleep: Service;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
  gateway = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect', 'tokens:revoke'] });
  stranger = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
  asleep = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect', 'tokens:revoke'] });
  const change = { token: bossToken, body: { status: 'deactivated' } };
  await gatehouse.api.patch(`/v1/services/${asleep.name}`, change);
});

const ask = (path: 'introspect' | 'revoke', fields: Fields, headers: Fields = gateway.headers): Promise<Answer> =>
  gatehouse.api.post(`/v1/auth/${path}`, { body: new URLSearchParams(fields), headers });
const introspect = async (token: string): Promise<any> => (await ask('introspect', { token })).body;
const revoke = (token: string): Promise<Answer> => ask('revoke', { token });
const basic = (name: string, secret: string): Fields => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});
const post = ({ name, secret }: Service): Fields => ({ client_id: name, client_secret: secret });
/** Every character, also those that need not be. */
const percentEncoded = (text: string): string => text.replaceAll(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`);
const refresh = async (refreshToken: string): Promise<{ accessToken: string; refreshToken: string }> =>
  (await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } })).body;

/** Somebody new whom an administrator changes. */
const changed = async (body: object): Promise<string> => {
  const { id, token } = await newPerson(gatehouse);
  await gatehouse.api.patch(`/v1/users/${id}`, { token: bossToken, body });
  return token;
};
/** Somebody new who does something themselves. */
const after = async (method: string, path: string): Promise<Person> => {
  const leaver = await newPerson(gatehouse);
  expect((await gatehouse.api.call(method, path, { token: leaver.token })).status).toBe(204);
  return leaver;
};

describe.each(['introspect', 'revoke'] as const)('who may %s', (path) => {
  const ways: [string, () => { headers: Fields; form?: Fields }][] = [
    ['X-Service-Key', () => ({ headers: gateway.headers })],
    ['X-Service-Key and X-Service-Name', () => ({ headers: { ...gateway.headers, 'x-service-name': gateway.name } })],
    ['client_secret_basic', () => ({ headers: basic(gateway.name, gateway.secret) })],
    [
      'client_secret_basic with percent-encoded halves',
      () => ({ headers: basic(percentEncoded(gateway.name), percentEncoded(gateway.secret)) }),
    ],
    ['client_secret_post', () => ({ headers: {}, form: post(gateway) })],
  ];

  test.each(ways)('a service may by %s', async (_, way) => {
    const { headers, form } = way();
    expect((await ask(path, { token: 'garbage', ...form }, headers)).status).toBe(200);
  });

  const refusals: readonly Refusal[] = [
    { name: 'no credentials', headers: () => ({}), expected: [401, 'invalid_client'] },
    { name: 'a wrong secret', headers: () => keyOf(gateway.name, 'wrong'), expected: [401, 'invalid_client'] },
    { name: 'a wrong secret in Basic', headers: () => basic(gateway.name, 'wrong'), expected: [401, 'invalid_client'] },
    { name: 'no secret in Basic', headers: () => basic(gateway.name, ''), expected: [401, 'invalid_client'] },
    { name: 'a broken Basic', headers: () => ({ authorization: 'Basic ?' }), expected: [401, 'invalid_client'] },
    { name: 'a broken escape', headers: () => basic(gateway.name, '%zz'), expected: [401, 'invalid_client'] },
    {
      name: "a user's token",
      headers: () => ({ authorization: `Bearer ${bossToken}` }),
      expected: [401, 'invalid_client'],
    },
    {
      name: 'a wrong secret in the form',
      headers: () => ({}),
      form: () => ({ client_id: gateway.name, client_secret: 'wrong' }),
      expected: [401, 'invalid_client'],
    },
    {
      name: 'a client_id alone',
      headers: () => ({}),
      form: () => ({ client_id: gateway.name }),
      expected: [401, 'invalid_client'],
    },
    {
      name: 'an unknown service',
      headers: () => keyOf('nobody-here', gateway.secret),
      expected: [401, 'invalid_client'],
    },
    { name: 'a deactivated service', headers: () => asleep.headers, expected: [401, 'invalid_client'] },
    { name: 'a bare name', headers: () => ({ 'x-service-name': gateway.name }), expected: [401, 'invalid_client'] },
    {
      name: 'a name that is not that of the key',
      headers: () => ({ ...gateway.headers, 'x-service-name': stranger.name }),
      expected: [401, 'invalid_client'],
    },
    { name: 'a service without the scope', headers: () => stranger.headers, expected: [403, 'insufficient_scope'] },
    {
      name: 'two ways at once',
      headers: () => ({ ...gateway.headers, ...basic(gateway.name, gateway.secret) }),
      expected: [400, 'invalid_request'],
    },
    { name: 'two ways, one in the form', form: () => post(gateway), expected: [400, 'invalid_request'] },
    { name: 'an empty token', form: () => ({ token: '' }), expected: [400, 'invalid_request'] },
  ];

  test.each(refusals)('$name is refused', async ({ headers, form, expected }) => {
    const answer = await ask(path, { token: person.token, ...form?.() }, headers?.());
    expect([answer.status, answer.body.error]).toEqual(expected);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('www-authenticate')).toBe(answer.status === 401 ? 'Basic realm="gatehouse"' : null);
  });

  const bodies: [string, unknown, number][] = [
    ['no token', new URLSearchParams({ token_type_hint: 'access_token' }), 400],
    ['a token that came twice', new URLSearchParams('token=a&token=b'), 400],
    ['a JSON body', { token: 'garbage' }, 415],
  ];
  test.each(bodies)('%s is refused in the form of RFC 6749', async (_, body, status) => {
    const answer = await gatehouse.api.post(`/v1/auth/${path}`, { body, headers: gateway.headers });
    expect([answer.status, answer.body.error]).toEqual([status, 'invalid_request']);
  });
});

describe("a stranger's token", () => {
  const texts: [string, string][] = [
    ['of 8,192 characters', 'a'.repeat(8_192)],
    ['of 8,193 characters', 'a'.repeat(8_193)],
    ['of 15,000 characters in three parts', `${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.${'c'.repeat(5_000)}`],
    ['that begins as a refresh token of ours', `gtr_${'A'.repeat(15_000)}`],
    ['of dots', '.'.repeat(9_000)],
    ['with a NUL', 'a\0b'],
    ['of other letters', 'жетон 🗝 \ud800'],
    ['of blanks', '   '],
  ];
  test.each(texts)('%s is not active, and to revoke it does nothing', async (_, token) => {
    const [introspected, revoked] = [await ask('introspect', { token }), await revoke(token)];
    expect([introspected.status, introspected.text]).toEqual([200, '{"active":false}']);
    expect([revoked.status, revoked.text]).toEqual([200, '{}']);
    const explained = await gatehouse.api.post('/v1/auth/explain', { token: bossToken, body: { token } });
    // JSON takes no NUL and no lone surrogate in any text
    if (explained.status === 200) expect(explained.body).toMatchObject({ isAccepted: false, reason: 'malformed' });
    else expect(explained.body.code).toBe('invalid-encoding');
  });
});

test('a parameter without a value counts as absent', async () => {
  const blanks = { token_type_hint: '', client_id: '', client_secret: '' };
  const answer = await ask('introspect', { token: person.token, ...blanks }, gateway.headers);
  expect([answer.status, answer.body.active]).toEqual([200, true]);
});

test('a bare X-Service-Name is refused on any other route too', async () => {
  const headers = { 'x-service-name': gateway.name };
  const answer = await gatehouse.api.get('/v1/users/me', { token: person.token, headers });
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid-service-key']);
});

describe('what introspection says', () => {
  test('a good access token is active, with its claims', async () => {
    const { claims } = takeApart(gatehouse, person.token);
    const { sub, exp, iat, iss, aud, jti, sid, client_id, roles, permissions, ...authenticated } = claims;
    const { auth_time, amr, acr } = authenticated;
    const members = { sub, exp, iat, iss, aud, jti, sid, client_id, roles, permissions, auth_time, amr, acr };
    expect(await introspect(person.token)).toEqual({ active: true, token_type: 'Bearer', ...members });
    expect(claims).toMatchObject({ sub: person.id, client_id: 'gatehouse', iss: 'http://gatehouse.test' });
  });

  test('a good refresh token is active until its session would end, whatever the hint says', async () => {
    const answer = await ask('introspect', { token: person.refreshToken, token_type_hint: 'access_token' });
    expect(answer.body).toMatchObject({ active: true, token_type: 'refresh_token', sub: person.id });
    expect(answer.body.sid).toBe(person.sessionId);
    const idleSeconds = 7 * 86_400;
    expect(Math.abs(answer.body.exp - nowSeconds() - idleSeconds)).toBeLessThan(30);
  });

  const dead: [string, () => string | string[] | Promise<string | string[]>][] = [
    ['garbage', () => 'garbage'],
    ['a UUID', () => randomUUID()],
    ['a made-up refresh token', () => `gtr_${Buffer.alloc(68, 7).toString('base64url')}`],
    ['an expired token', () => withClaims(takeApart(gatehouse, person.token), { exp: nowSeconds() - 1 })],
    [
      "a JWT of another issuer's key",
      () => {
        const { header, claims } = takeApart(gatehouse, person.token);
        return signed(header, claims, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
      },
    ],
    [
      'what a session leaves that logged out',
      async () => {
        const { token, refreshToken } = await after('POST', '/v1/auth/logout');
        return [token, refreshToken];
      },
    ],
    ["a deleted user's token", async () => (await after('DELETE', '/v1/users/me')).token],
    ["a deactivated user's token", () => changed({ status: 'deactivated' })],
    ["a token with a user's former roles", () => changed({ roles: ['user', 'admin'] })],
    [
      'a used refresh token',
      async () => {
        const { refreshToken } = await newPerson(gatehouse);
        await refresh(refreshToken);
        return refreshToken;
      },
    ],
  ];
  test.each(dead)('%s is not active, and nothing more is said', async (_, make) => {
    for (const token of [await make()].flat()) {
      const answer = await ask('introspect', { token });
      expect([answer.status, answer.text]).toEqual([200, '{"active":false}']);
    }
  });
});

describe('what revocation does', () => {
  test('an access token dies alone: the session goes on', async () => {
    const { refreshToken } = await newPerson(gatehouse);
    const first = await refresh(refreshToken);
    const second = await refresh(first.refreshToken);
    const answer = await revoke(first.accessToken);
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    expect(await isAccepted(gatehouse, first.accessToken)).toBe(false);
    expect(await introspect(first.accessToken)).toEqual({ active: false });
    expect(await isAccepted(gatehouse, second.accessToken)).toBe(true);
    expect((await introspect(second.refreshToken)).active).toBe(true);
  });

  test.each(['the current', 'a used'])('%s refresh token takes its session along', async (which) => {
    const { token, refreshToken } = await newPerson(gatehouse);
    const next = await refresh(refreshToken);
    expect((await revoke(which === 'a used' ? refreshToken : next.refreshToken)).status).toBe(200);
    for (const access of [token, next.accessToken]) expect(await isAccepted(gatehouse, access)).toBe(false);
    expect(await introspect(next.refreshToken)).toEqual({ active: false });
    const retry = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: next.refreshToken } });
    expect([retry.status, retry.body.code]).toEqual([401, 'invalid-refresh-token']);
  });

  test('each is recorded with the service that asked; for what is no token of ours nothing is', async () => {
    const { id, token, refreshToken } = await newPerson(gatehouse);
    const answers = [await revoke(token), await revoke(refreshToken), await revoke('garbage')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const requestIds = answers.map(({ headers }) => headers.get('x-request-id'));
    const { body } = await gatehouse.api.get('/v1/audit?event=token-revoked&limit=100', { token: bossToken });
    const rows = body.items.filter(({ requestId }: any) => requestIds.includes(requestId));
    expect(rows.map(({ requestId }: any) => requestId).toReversed()).toEqual(requestIds.slice(0, 2));
    for (const row of rows) expect(row).toMatchObject({ caller: `service:${gateway.name}`, userId: id });
  });
});
