import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';

import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { encode, type Good, nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';

type Case = {
  readonly name: string;
  readonly make: () => string | Promise<string>;
  readonly reason: string;
  readonly detail: RegExp;
  readonly cause?: string;
};

let gatehouse: Gatehouse;
let bossToken: string;
let gateway: Service;
let person: Person;
let good: Good;

beforeAll(async () => {
  gatehouse = await startGatehouse();
  bossToken = (await signInAdmin(gatehouse)).token;
  gateway = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect', 'tokens:revoke'] });
  person = await newPerson(gatehouse);
  good = takeApart(gatehouse, person.token);
});
afterAll(async () => {
  await gatehouse.stop();
});

const ours = 'http://gatehouse.test';
const elsewhere = 'https://elsewhere.test';

/** The token of somebody new, once something has happened to them. */
async function after(method: string, path: string, call: object = {}): Promise<string> {
  const { id, token } = await newPerson(gatehouse);
  const answer = await gatehouse.api.call(method, path.replace('PERSON', id), { token, ...call });
  expect(answer.status, answer.text).toBeLessThan(300);
  return token;
}
const byBoss = (body: object): object => ({ token: bossToken, body });

async function revoked(): Promise<string> {
  const { token } = await newPerson(gatehouse);
  const body = new URLSearchParams({ token });
  expect((await gatehouse.api.post('/v1/auth/revoke', { headers: gateway.headers, body })).status).toBe(200);
  return token;
}

async function ofRetiredKey(): Promise<string> {
  const { token } = await newPerson(gatehouse);
  await gatehouse.app.get(KeyRotationService).retire(String(takeApart(gatehouse, token).header['kid']), 'operator');
  return token;
}

/** The token of a service, once something has happened to that. */
async function ofService(end: (service: Service) => Promise<unknown>): Promise<string> {
  const service = await newService(gatehouse, { token: bossToken, scopes: [] });
  const token = await tokenOf(gatehouse, service);
  await end(service);
  return token;
}

const unreadable: readonly Case[] = [
  { name: 'garbage', make: () => 'garbage', reason: 'malformed', detail: /^not a JWT/ },
  {
    name: 'a header that we never issue',
    make: () => signed({ ...good.header, typ: 'JWT' }, good.claims, good.privateKey),
    reason: 'malformed',
    detail: /^not a JWT/,
  },
  {
    name: 'a missing claim',
    make: () => withClaims(good, { jti: undefined }),
    reason: 'malformed',
    detail: /^a claim is missing/,
  },
  {
    name: 'an nbf that is no number',
    make: () => withClaims(good, { nbf: 'soon' }),
    reason: 'malformed',
    detail: /^a claim is missing or has the wrong type/,
  },
  {
    name: 'an unknown key',
    make: () => signed({ ...good.header, kid: randomUUID() }, good.claims, good.privateKey),
    reason: 'unknown-key',
    detail: /^no key of ours has the id/,
  },
  {
    name: 'a changed payload',
    make: () => `${good.head}.${encode({ ...good.claims, roles: ['admin'] })}.${good.signature}`,
    reason: 'bad-signature',
    detail: /^the signature is not/,
  },
  { name: 'no signature', make: () => `${good.head}.${good.body}.`, reason: 'bad-signature', detail: /^the signature/ },
];

const claims: readonly Case[] = [
  { name: 'a good token', make: () => person.token, reason: 'accepted', detail: /^good for another \d+ s$/ },
  {
    name: 'an nbf in the past',
    make: () => withClaims(good, { nbf: nowSeconds() - 60 }),
    reason: 'accepted',
    detail: /^good for another/,
  },
  {
    name: 'another issuer',
    make: () => withClaims(good, { iss: elsewhere }),
    reason: 'wrong-issuer',
    detail: /^iss is https:\/\/elsewhere\.test, not http:\/\/gatehouse\.test$/,
  },
  {
    name: 'another audience',
    make: () => withClaims(good, { aud: elsewhere }),
    reason: 'wrong-audience',
    detail: /^aud is https:\/\/elsewhere\.test, not http:\/\/gatehouse\.test$/,
  },
  {
    name: 'other audiences, as a list',
    make: () => withClaims(good, { aud: [elsewhere] }),
    reason: 'wrong-audience',
    detail: /^aud is https:\/\/elsewhere\.test, not/,
  },
  {
    name: 'our audience beside another',
    make: () => withClaims(good, { aud: [elsewhere, ours] }),
    reason: 'wrong-audience',
    detail: /^aud is https:\/\/elsewhere\.test and http:\/\/gatehouse\.test, not/,
  },
  {
    name: 'an nbf in the future',
    make: () => withClaims(good, { nbf: nowSeconds() + 600 }),
    reason: 'not-yet-valid',
    detail: /^nbf is (600|599|598) s in the future$/,
  },
  {
    name: 'an iat further ahead than clocks differ',
    make: () => withClaims(good, { iat: nowSeconds() + 600, exp: nowSeconds() + 1_200 }),
    reason: 'not-yet-valid',
    detail: /^iat is (600|599|598) s in the future$/,
  },
  {
    name: 'an iat within the difference of clocks',
    make: () => withClaims(good, { iat: nowSeconds() + 30 }),
    reason: 'accepted',
    detail: /^good for another/,
  },
  {
    name: 'a token past its time',
    make: () => withClaims(good, { exp: nowSeconds() - 12 }),
    reason: 'expired',
    detail: /^expired 1[234] s ago$/,
  },
];

const ended: readonly Case[] = [
  { name: 'a revoked token', make: revoked, reason: 'revoked', detail: /^its token was revoked by token-revoked at/ },
  {
    name: 'the token of an ended session',
    make: () => after('POST', '/v1/auth/logout'),
    reason: 'revoked',
    detail: /^its session was revoked by logout at \d{4}-/,
    cause: 'logout',
  },
  {
    name: 'the token of a user who logged out everywhere',
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
    name: 'the token of a deactivated user',
    make: () => after('PATCH', '/v1/users/PERSON', byBoss({ status: 'deactivated' })),
    reason: 'user-deactivated',
    detail: /^its user was revoked by user-deactivated at/,
    cause: 'user-deactivated',
  },
  {
    name: 'the token of a deleted user',
    make: () => after('DELETE', '/v1/users/me'),
    reason: 'user-deleted',
    detail: /^its user was revoked by user-deleted at/,
    cause: 'user-deleted',
  },
  {
    name: 'the token of a deactivated service',
    make: () => ofService(({ name }) => gatehouse.api.patch(`/v1/services/${name}`, byBoss({ status: 'deactivated' }))),
    reason: 'service-deactivated',
    detail: /^its service service-\w+ was revoked by service-deactivated at/,
    cause: 'service-deactivated',
  },
  {
    name: 'the token of a deleted service',
    make: () => ofService(({ name }) => gatehouse.api.delete(`/v1/services/${name}`, { token: bossToken })),
    reason: 'service-deleted',
    detail: /^its service service-\w+ was revoked by service-deleted at/,
    cause: 'service-deleted',
  },
  // last of all: the tokens above are signed with that key
  {
    name: 'the token of a retired key',
    make: ofRetiredKey,
    reason: 'revoked',
    detail: /^its key was revoked by key-retired at/,
    cause: 'key-retired',
  },
];

describe('guard, introspection and explanation judge a token alike', () => {
  test.each([...unreadable, ...claims, ...ended])('$name: $reason', async ({ make, reason, detail, cause }) => {
    const token = await make();
    const { headers } = gateway;
    const explained = await gatehouse.api.post('/v1/auth/explain', { headers, body: { token } });
    const form = new URLSearchParams({ token });
    const introspected = await gatehouse.api.post('/v1/auth/introspect', { headers, body: form });
    // twice: the second answer comes from the cache of verified tokens
    const served = [
      await gatehouse.api.get('/v1/users/me', { token }),
      await gatehouse.api.get('/v1/users/me', { token }),
    ];
    const isGood = reason === 'accepted';
    expect({
      reason: explained.body.reason,
      cause: explained.body.cause,
      isAccepted: explained.body.isAccepted,
      isActive: introspected.body.active,
      statuses: served.map(({ status }) => status),
    }).toMatchObject({
      reason,
      ...(cause !== undefined && { cause }),
      isAccepted: isGood,
      isActive: isGood,
      statuses: isGood ? [200, 200] : [401, 401],
    });
    expect(explained.body.detail).toMatch(detail);
  });
});

test('the table above has every reason that the document names', async () => {
  const { body } = await gatehouse.api.get('/openapi.json');
  const reasons: string[] = body.components.schemas.Explanation.properties.reason.enum;
  const tried = new Set([...unreadable, ...claims, ...ended].map(({ reason }) => reason));
  expect([...tried].toSorted()).toEqual(reasons.toSorted());
});
