import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { encode, type Good, nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

type Case = {
  readonly name: string;
  readonly make: () => string | Promise<string>;
  readonly reason: string;
  readonly detail: RegExp;
  readonly cause?: string;
};

const gatehouse = useGatehouse({ own: true });
let bossToken: string;
let helpDesk: Service;
let person: Person;
let good: Good;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  helpDesk = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect'] });
  person = await newPerson(gatehouse);
  good = takeApart(gatehouse, person.token);
});

const explain = (token: string, caller: object = { headers: helpDesk.headers }) =>
  gatehouse.api.post('/v1/auth/explain', { ...caller, body: { token } });

/** Somebody new, and something that happens to them. */
async function after(method: string, path: string, call: object = {}): Promise<string> {
  const { id, token } = await newPerson(gatehouse);
  const answer = await gatehouse.api.call(method, path.replace('PERSON', id), { token, ...call });
  expect(answer.status, answer.text).toBeLessThan(300);
  return token;
}
const byBoss = (body: object): object => ({ token: bossToken, body });

const untrusted: readonly Case[] = [
  { name: 'a good token', make: () => person.token, reason: 'accepted', detail: /^good for another \d+ s$/ },
  { name: 'garbage', make: () => 'garbage', reason: 'malformed', detail: /not a JWT/ },
  { name: 'a refresh token', make: () => person.refreshToken, reason: 'malformed', detail: /not a JWT/ },
  {
    name: 'a token without a claim',
    make: () => withClaims(good, { jti: undefined }),
    reason: 'malformed',
    detail: /a claim is missing/,
  },
  {
    name: 'a token of an unknown key',
    make: () => signed({ ...good.header, kid: randomUUID() }, good.claims, good.privateKey),
    reason: 'unknown-key',
    detail: /no key of ours has the id/,
  },
  {
    name: 'a token whose payload was changed',
    make: () => `${good.head}.${encode({ ...good.claims, roles: ['admin'] })}.${good.signature}`,
    reason: 'bad-signature',
    detail: /not that of the key/,
  },
  {
    name: 'a token of another issuer',
    make: () => withClaims(good, { iss: 'https://elsewhere.test' }),
    reason: 'wrong-issuer',
    detail: /^iss is https:\/\/elsewhere\.test, not http:\/\/gatehouse\.test$/,
  },
  {
    name: 'a token for another audience',
    make: () => withClaims(good, { aud: 'https://elsewhere.test' }),
    reason: 'wrong-audience',
    detail: /^aud is https:\/\/elsewhere\.test, not/,
  },
  {
    name: 'a token past its time',
    make: () => withClaims(good, { exp: nowSeconds() - 12 }),
    reason: 'expired',
    detail: /^expired 1[23] s ago$/,
  },
];

const ended: readonly Case[] = [
  {
    name: 'a token whose session logged out',
    make: () => after('POST', '/v1/auth/logout'),
    reason: 'revoked',
    detail: /^its session was revoked by logout at \d{4}-/,
    cause: 'logout',
  },
  {
    name: 'a token of a user who logged out everywhere',
    make: () => after('POST', '/v1/auth/logout-all'),
    reason: 'revoked',
    detail: /^its user was revoked by logout at/,
    cause: 'logout',
  },
  {
    name: 'a token with former roles',
    make: () => after('PATCH', '/v1/users/PERSON', byBoss({ roles: ['user', 'admin'] })),
    reason: 'revoked',
    detail: /revoked by roles-changed at/,
    cause: 'roles-changed',
  },
  {
    name: 'a token from before a new password',
    make: () => after('PUT', '/v1/users/PERSON/password', byBoss({ password: 'eight blue buckets' })),
    reason: 'revoked',
    detail: /revoked by password-changed at/,
    cause: 'password-changed',
  },
  {
    name: "a deactivated user's token",
    make: () => after('PATCH', '/v1/users/PERSON', byBoss({ status: 'deactivated' })),
    reason: 'user-deactivated',
    detail: /revoked by user-deactivated at/,
    cause: 'user-deactivated',
  },
  {
    name: "a deleted user's token",
    make: () => after('DELETE', '/v1/users/me'),
    reason: 'user-deleted',
    detail: /revoked by user-deleted at/,
    cause: 'user-deleted',
  },
];

describe('why a token is or is not accepted', () => {
  test.each([...untrusted, ...ended])('$name: $reason', async ({ make, reason, detail, cause }) => {
    const token = await make();
    const { status, body } = await explain(token);
    expect(status).toBe(200);
    expect(body).toMatchObject({ isAccepted: reason === 'accepted', reason, ...(cause !== undefined && { cause }) });
    expect(body.detail).toMatch(detail);
    const served = await gatehouse.api.get('/v1/users/me', { token });
    expect(served.status, 'the guard must agree').toBe(body.isAccepted ? 200 : 401);
  });

  test('when it expires or ended is told as a time, and whose it is', async () => {
    const at = new Date(Number(good.claims['exp']) * 1000).toISOString();
    const whose = { userId: person.id, sessionId: person.sessionId };
    expect((await explain(person.token)).body).toMatchObject({ at, ...whose });
    const leaver = await newPerson(gatehouse);
    const before = Date.now();
    await gatehouse.api.post('/v1/auth/logout', { token: leaver.token });
    const { body } = await explain(leaver.token);
    expect(Date.parse(body.at)).toBeGreaterThanOrEqual(before - 100);
    expect(Date.parse(body.at)).toBeLessThanOrEqual(Date.now() + 100);
    expect(body.detail).toBe(`its session was revoked by logout at ${body.at}`);
  });
});

describe('who may ask', () => {
  test('administrators, and services that may introspect', async () => {
    const idle = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
    const callers = [{ token: bossToken }, { headers: helpDesk.headers }, { headers: idle.headers }];
    const others = [{ token: person.token }, {}];
    const answers = await Promise.all([...callers, ...others].map((caller) => explain('garbage', caller)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403, 401]);
  });

  test.each([[{}], [{ token: '' }], [{ token: 'a', hint: 'b' }]])('with one token: not with %o', async (body) => {
    const answer = await gatehouse.api.post('/v1/auth/explain', { headers: helpDesk.headers, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });
});

test('after everything was revoked, a token says so', async () => {
  expect((await gatehouse.api.post('/v1/auth/revoke-all', { token: bossToken })).status).toBe(204);
  const { body } = await explain(person.token);
  expect(body).toMatchObject({ isAccepted: false, reason: 'revoked', cause: 'all-revoked' });
  const again = await signIn(gatehouse, person);
  expect((await explain(again.token)).body.reason).toBe('accepted');
});
