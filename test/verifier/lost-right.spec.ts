import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { createVerifier, type Verifier } from '#verifier';

import { freePort } from '../support/free-port.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { verdictOf } from '../support/verifier-group.js';

const port = String(await freePort());
const gatehouse = useGatehouse({ environment: { PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` } });
const scopes = ['revocations:read', 'tokens:introspect'];
let bossToken: string;
let person: Person;
let service: Service;
/** By what they do with a token while what they know is too old. */
let verifiers: { readonly refuse: Verifier; readonly introspect: Verifier; readonly allow: Verifier };

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
});
beforeEach(async () => {
  service = await newService(gatehouse, { token: bossToken, scopes });
  const newVerifier = (then: 'refuse' | 'introspect' | 'allow'): Verifier =>
    createVerifier({
      issuer: gatehouse.url,
      audience: gatehouse.url,
      serviceKey: service.headers['x-service-key'],
      staleness: { afterMs: 2_000, then },
    });
  verifiers = { refuse: newVerifier('refuse'), introspect: newVerifier('introspect'), allow: newVerifier('allow') };
  await Promise.all(Object.values(verifiers).map((verifier) => verifier.ready()));
});
afterEach(() => Promise.all(Object.values(verifiers).map((verifier) => verifier.close())));

const change = async (body: object): Promise<void> => {
  const answer = await gatehouse.api.patch(`/v1/services/${service.name}`, { token: bossToken, body });
  expect(answer.status, answer.text).toBe(200);
};
const waiting = { timeout: 20_000, interval: 10 };

describe('a service that loses `revocations:read`', () => {
  test('hears no more, does what it has chosen for that, and hears again when it has the scope again', async () => {
    const [ended, good] = [(await signIn(gatehouse, person)).token, (await signIn(gatehouse, person)).token];
    await change({ scopes: ['tokens:introspect'] });
    await expect.poll(() => verdictOf(verifiers.refuse, good), waiting).toBe('stale');
    await expect.poll(async () => (await verifiers.allow.verify(good)).isStale, waiting).toBe(true);
    await expect.poll(() => verifiers.introspect.view().ageMs, waiting).toBeGreaterThan(2_000);
    await gatehouse.api.post('/v1/auth/logout', { token: ended });
    expect(await verdictOf(verifiers.introspect, ended)).toBe('revoked');
    expect(await verdictOf(verifiers.introspect, good)).toBe('accepted');
    await change({ scopes });
    await expect.poll(() => verdictOf(verifiers.refuse, good), { timeout: 60_000, interval: 20 }).toBe('accepted');
    expect(await verdictOf(verifiers.refuse, ended)).toBe('revoked');
  }, 90_000);
});

describe('a service that is deactivated', () => {
  test('hears no more and cannot ask: its verifiers refuse, but for those that allow', async () => {
    const { token } = await signIn(gatehouse, person);
    await change({ status: 'deactivated' });
    await expect.poll(() => verdictOf(verifiers.refuse, token), waiting).toBe('stale');
    await expect.poll(() => verdictOf(verifiers.introspect, token), waiting).toBe('stale');
    await expect.poll(async () => (await verifiers.allow.verify(token)).isStale, waiting).toBe(true);
  });
});
