import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { startVerifiers, type Verifier } from '../support/verifiers.js';

const orders = 'https://orders.example.org';
const billing = 'HTTPS://Billing.example.org/v1';
const audiences = { orders, billing, gatehouse: '' };
type Audience = keyof typeof audiences;
const all: readonly Audience[] = ['orders', 'billing', 'gatehouse'];

let gatehouse: Gatehouse;
let bossToken: string;
let person: Person;
/** Which service introspects: two with an audience, and one without. */
let services: Record<'orders' | 'billing' | 'none', Service>;
let verifiers: Record<Audience, readonly Verifier[]>;
let tokens: Record<Audience, string>;
const stops: (() => void)[] = [];

async function verifiersOf(audience: string): Promise<readonly Verifier[]> {
  const { verifiers: started, stop } = await startVerifiers(gatehouse.url, audience);
  stops.push(stop);
  return started;
}

beforeAll(async () => {
  const port = await freePort();
  gatehouse = await startGatehouse({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` });
  audiences.gatehouse = gatehouse.url;
  bossToken = (await signInAdmin(gatehouse)).token;
  const caller = { token: bossToken, scopes: ['tokens:introspect', 'tokens:revoke'] };
  services = {
    orders: await newService(gatehouse, { ...caller, audience: orders }),
    billing: await newService(gatehouse, { ...caller, audience: billing }),
    none: await newService(gatehouse, caller),
  };
  person = await newPerson(gatehouse);
  tokens = {
    orders: (await signIn(gatehouse, { ...person, audience: `${orders}:443/` })).token,
    billing: (await signIn(gatehouse, { ...person, audience: 'https://billing.example.org/x/../v1' })).token,
    gatehouse: person.token,
  };
  verifiers = {
    orders: await verifiersOf(orders),
    billing: await verifiersOf(billing),
    gatehouse: await verifiersOf(gatehouse.url),
  };
});
afterAll(async () => {
  for (const stop of stops) stop();
  await gatehouse.stop();
});

const introspect = async (token: string, by: Service): Promise<any> =>
  (await gatehouse.api.post('/v1/auth/introspect', { headers: by.headers, body: new URLSearchParams({ token }) })).body;
const explain = async (token: string, audience?: string): Promise<any> =>
  (await gatehouse.api.post('/v1/auth/explain', { token: bossToken, body: { token, audience } })).body;

describe.each(all)('a token for %s', (audience) => {
  test('is taken by the guard of Gatehouse only when it is for Gatehouse', async () => {
    expect(await isAccepted(gatehouse, tokens[audience])).toBe(audience === 'gatehouse');
  });

  test.each(['orders', 'billing', 'none'] as const)(
    'is active for the service of its audience: asked by %s',
    async (by) => {
      const answer = await introspect(tokens[audience], services[by]);
      const isSeen = by === audience || by === 'none';
      expect(answer).toEqual(
        isSeen ? expect.objectContaining({ active: true, aud: audiences[audience] }) : { active: false },
      );
    },
  );

  test.each(['jose', 'fast-jwt', 'jsonwebtoken and jwks-rsa', 'express-oauth2-jwt-bearer'])(
    'is taken by %s of its audience alone',
    async (name) => {
      const outcomes = await Promise.all(
        all.map(async (at) => {
          const verifier = verifiers[at].find((one) => one.name === name);
          return verifier?.verify(tokens[audience]).catch(() => 'refused');
        }),
      );
      expect(outcomes).toEqual(all.map((at) => (at === audience ? person.id : 'refused')));
    },
  );

  test('is explained as each would judge it', async () => {
    const reasons = await Promise.all(all.map(async (at) => (await explain(tokens[audience], audiences[at])).reason));
    expect(reasons).toEqual(all.map((at) => (at === audience ? 'accepted' : 'wrong-audience')));
  });
});

test('an explanation names the services of the audiences', async () => {
  const { detail } = await explain(tokens.orders, billing.toLowerCase());
  const named = [services.orders.name, services.billing.name];
  expect(detail).toBe(`aud is ${orders} (the service ${named[0]}), not ${billing} (the service ${named[1]})`);
  expect((await explain(tokens.orders)).detail).toBe(
    `aud is ${orders} (the service ${named[0]}), not ${gatehouse.url}`,
  );
});

test('an explanation for an audience that nobody has is refused', async () => {
  const body = { token: tokens.orders, audience: 'https://nobody.example.org' };
  const { status, body: problem } = await gatehouse.api.post('/v1/auth/explain', { token: bossToken, body });
  expect([status, problem.code]).toEqual([400, 'unknown-audience']);
});

test('a refresh token is seen by every service', async () => {
  const { refreshToken } = await signIn(gatehouse, { ...person, audience: orders });
  const seen = await Promise.all(Object.values(services).map((by) => introspect(refreshToken, by)));
  expect(seen.map(({ active }) => active)).toEqual([true, true, true]);
});

test('a service revokes a token for another audience', async () => {
  const { token } = await signIn(gatehouse, { ...person, audience: orders });
  expect((await introspect(token, services.orders)).active).toBe(true);
  const body = new URLSearchParams({ token });
  await gatehouse.api.post('/v1/auth/revoke', { headers: services.billing.headers, body });
  expect((await introspect(token, services.orders)).active).toBe(false);
});

test('a token for an audience that its service has given up, or that has no service any more, is active for nobody', async () => {
  const old = 'https://old.example.org';
  const service = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect'], audience: old });
  const { token } = await signIn(gatehouse, { ...person, audience: old });
  expect((await introspect(token, services.none)).active).toBe(true);
  const change = { token: bossToken, body: { audience: 'https://new.example.org' } };
  await gatehouse.api.patch(`/v1/services/${service.name}`, change);
  expect(await introspect(token, service)).toEqual({ active: false });
  expect(await introspect(token, services.none)).toEqual({ active: false });
});
