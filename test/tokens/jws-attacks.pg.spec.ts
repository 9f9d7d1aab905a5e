import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { claimAttacks } from '../support/claim-attacks.js';
import { algorithmAttacks, type Attack, headerAttacks, keyAttacks } from '../support/jws-attacks.js';
import { malleated, respelt, signatureAttacks, spellingAttacks } from '../support/jws-respellings.js';
import { isAccepted, newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Good, nowSeconds, signed, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let person: Person;
let good: Good;
let gateway: Service;
/** Where an attacker offers keys; nobody must ever ask for them. */
const listener = createServer((_, response) => {
  visits++;
  response.end('{"keys":[]}');
}).listen(0, '127.0.0.1');
let visits = 0;
await once(listener, 'listening');
const jku = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jwks.json`;

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  gateway = await newService(gatehouse, { token, scopes: ['tokens:introspect', 'tokens:revoke'] });
  person = await newPerson(gatehouse);
  good = takeApart(gatehouse, person.token);
});
afterAll(async () => {
  listener.close();
});

const explain = (token: string) =>
  gatehouse.api.post('/v1/auth/explain', { headers: gateway.headers, body: { token } });
const introspect = (token: string) =>
  gatehouse.api.post('/v1/auth/introspect', { headers: gateway.headers, body: new URLSearchParams({ token }) });

describe.each<[string, readonly Attack[]]>([
  ['algorithm', algorithmAttacks],
  ['key', keyAttacks(jku)],
  ['header', headerAttacks],
  ['signature', signatureAttacks],
  ['spelling', spellingAttacks],
  ['claim', claimAttacks],
])('%s', (_, attacks) => {
  test.each(attacks)('%s: refused by the guard, not active, and explained as such', async (_name, make) => {
    const token = make(good);
    const served = await gatehouse.api.get('/v1/users/me', { token });
    expect([served.status, served.body.code]).toEqual([401, 'invalid-token']);
    expect((await introspect(token)).text).toBe('{"active":false}');
    expect((await explain(token)).body.isAccepted).toBe(false);
  });
});

describe('what must go on working', () => {
  test('the good token, and what the tables build theirs from', async () => {
    const tokens = [
      good.token,
      signed(good.header, good.claims, good.privateKey),
      withClaims(good, { exp: nowSeconds() + 5 }),
      withClaims(good, { iat: nowSeconds() - 800 }),
      // the clocks of two replicas may differ a little
      withClaims(good, { iat: nowSeconds() + 5 }),
      withClaims(good, { amr: ['pwd'] }),
    ];
    for (const token of tokens) expect(await isAccepted(gatehouse, token)).toBe(true);
  });

  test('a second spelling of a token dies with it', async () => {
    const twins = [malleated(good), respelt(good)];
    expect(new Set([good.token, ...twins]).size).toBe(3);
    // ECDSA and base64url allow them; they are the same token, and
    // never a way around its revocation
    for (const twin of twins) expect(await isAccepted(gatehouse, twin)).toBe(true);
    const body = new URLSearchParams({ token: malleated(good) });
    expect((await gatehouse.api.post('/v1/auth/revoke', { headers: gateway.headers, body })).status).toBe(200);
    for (const token of [good.token, ...twins]) {
      expect(await isAccepted(gatehouse, token)).toBe(false);
      expect((await introspect(token)).text).toBe('{"active":false}');
    }
  });

  test("no attack made the service fetch the attacker's keys or log an error", () => {
    expect(visits).toBe(0);
    expect(gatehouse.log.length).toBeGreaterThan(100);
    expect(gatehouse.log.filter(({ level }) => ['warn', 'error', 'fatal'].includes(String(level)))).toEqual([]);
  });
});
