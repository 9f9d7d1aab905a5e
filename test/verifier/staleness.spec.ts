import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';

import { createVerifier, type RevocationView, type Verifier, type VerifierOptions } from '#verifier';

import { judged, refusalOf } from '../support/judged.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { createStrippingProxy } from '../support/stripping-proxy.js';
import { freePort } from '../support/free-port.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
const issuer = 'http://gatehouse.test';
let person: Person;
let asker: Service;
let other: Service;
const verifiers: Verifier[] = [];

/** Knowledge whose age the test says. */
const known = { ageMs: 0, revoked: new Set<string>() };
const revocations: RevocationView = {
  get ageMs() {
    return known.ageMs;
  },
  entries: 0,
  epoch: 'one',
  isRevoked: (facts) => facts.some(({ subjectId }) => known.revoked.has(subjectId)),
  ready: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  const { token } = await signInAdmin(gatehouse);
  asker = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
  other = await newService(gatehouse, { token, scopes: ['users:read'] });
});
beforeEach(async () => {
  known.ageMs = 0;
  known.revoked.clear();
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  for (const verifier of verifiers) await verifier.close();
});

async function start(options: Partial<VerifierOptions> = {}, service = asker): Promise<Verifier> {
  const serviceKey = `${service.name}.${service.secret}`;
  const verifier = createVerifier({
    issuer,
    audience: issuer,
    url: gatehouse.url,
    serviceKey,
    revocations,
    ...options,
  });
  verifiers.push(verifier);
  await verifier.ready();
  return verifier;
}
let asked = 0;
const counting: typeof fetch = (url, init) => {
  if (url === `${gatehouse.url}/v1/auth/introspect`) asked++;
  return fetch(url, init);
};
const logOut = (): Promise<unknown> => gatehouse.api.post('/v1/auth/logout', { token: person.token });

test('while it is fresh, what is known decides', async () => {
  const verifier = await start();
  expect(await judged(verifier, person.token)).toBe('accepted');
  known.revoked.add(person.sessionId);
  expect(await judged(verifier, person.token)).toBe('401 revoked');
});

test('by default Gatehouse is asked about each token once what is known is older than 2 s', async () => {
  const verifier = await start();
  known.ageMs = 2_001;
  expect(await verifier.verify(person.token)).toMatchObject({ isStale: false });
  await logOut();
  expect(await judged(verifier, person.token)).toBe('401 revoked');
  known.ageMs = 2_000;
  // nobody told it: so it is judged by what is known
  expect(await judged(verifier, person.token)).toBe('accepted');
});

test('`refuse` refuses with 503, `allow` accepts and says so', async () => {
  const verifier = await start({ staleness: { afterMs: 500, then: 'refuse' } });
  known.ageMs = 501;
  expect(await judged(verifier, person.token)).toBe('503 stale');
  expect(await verifier.verify(person.token, { staleness: { then: 'allow' } })).toMatchObject({ isStale: true });
  expect(await judged(verifier, person.token, { staleness: { afterMs: 1_000 } })).toBe('accepted');
});

test('what is known to be revoked is refused however old the knowledge is', async () => {
  known.revoked.add(person.sessionId);
  known.ageMs = 86_400_000;
  for (const then of ['introspect', 'refuse', 'allow'] as const) {
    expect(await judged(await start({ staleness: { then } }), person.token)).toBe('401 revoked');
  }
});

test('before anything is known, that is not "nothing is revoked"', async () => {
  known.ageMs = Number.POSITIVE_INFINITY;
  await logOut();
  expect(await judged(await start(), person.token)).toBe('401 revoked');
  expect(await judged(await start({ staleness: { then: 'refuse' } }), person.token)).toBe('503 stale');
});

test('a service that may not introspect refuses, and says so once', async () => {
  const verifier = await start({}, other);
  const reasons: string[] = [];
  verifier.on('introspection-denied', (reason) => reasons.push(reason));
  known.ageMs = 2_001;
  for (let time = 0; time < 5; time++) expect(await judged(verifier, person.token)).toBe('503 stale');
  expect(reasons).toEqual(['The service lacks the scope tokens:introspect at Gatehouse.']);
  known.ageMs = 0;
  expect(await judged(verifier, person.token)).toBe('accepted');
});

test('when Gatehouse does not answer, tokens are refused until it is known again', async () => {
  const port = await freePort();
  const proxy = createStrippingProxy('/id');
  await proxy.listen(port, gatehouse.url);
  const verifier = await start({ url: `http://127.0.0.1:${port}/id` });
  known.ageMs = 2_001;
  expect(await judged(verifier, person.token)).toBe('accepted');
  proxy.stop();
  const refusal = await refusalOf(verifier, person.token);
  expect([refusal.status, refusal.code, refusal.wwwAuthenticate]).toEqual([503, 'stale', undefined]);
  known.ageMs = 0;
  expect(await judged(verifier, person.token)).toBe('accepted');
});

test('calls for one token at the same time share a question; the next call asks anew', async () => {
  const verifier = await start({ fetch: counting });
  // a token that is new comes to the question when its signature was checked, each call for itself
  known.ageMs = 0;
  expect(await judged(verifier, person.token)).toBe('accepted');
  asked = 0;
  known.ageMs = 2_001;
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => judged(verifier, person.token)));
  expect([new Set(verdicts), asked]).toEqual([new Set(['accepted']), 1]);
  await judged(verifier, person.token);
  expect(asked).toBe(2);
});

test('a token that is bad by itself is not asked about', async () => {
  asked = 0;
  const verifier = await start({ fetch: counting });
  known.ageMs = 2_001;
  expect(await judged(verifier, `${person.token}a`)).toBe('401 bad-signature');
  expect(await judged(verifier, person.token, { permissions: ['orders:read'] })).toBe('403 missing-permission');
  expect(asked).toBe(0);
});

test('`stale` and `fresh` are told when they come to be', async () => {
  const verifier = await start();
  const told: string[] = [];
  const onStale = (): unknown => told.push('stale');
  verifier.on('stale', onStale).on('fresh', () => told.push('fresh'));
  known.ageMs = 2_001;
  await vi.waitFor(() => expect(told).toEqual(['stale']), { timeout: 20_000 });
  known.ageMs = 10;
  await vi.waitFor(() => expect(told).toEqual(['stale', 'fresh']), { timeout: 20_000 });
  verifier.off('stale', onStale);
  known.ageMs = 2_001;
  await judged(verifier, person.token);
  expect(told).toEqual(['stale', 'fresh']);
});

test('a verifier that is closed refuses', async () => {
  const verifier = await start();
  await verifier.close();
  await verifier.close();
  expect(await judged(verifier, person.token)).toBe('503 closed');
});
