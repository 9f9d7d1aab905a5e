import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import type { Verifier } from '#verifier';

import { judged } from '../support/judged.js';
import { ownVerifier } from '../support/own-verifier.js';
import { newPerson, signIn, signInAdmin } from '../support/people.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let verifier: Verifier;
beforeAll(async () => {
  // what is heard decides, and no question
  verifier = await ownVerifier(gatehouse, { staleness: { afterMs: 60_000, then: 'refuse' } });
});
afterAll(() => verifier.close());

const becomes = (token: string, verdict: string): Promise<void> =>
  vi.waitFor(async () => expect(await judged(verifier, token)).toBe(verdict), { timeout: 20_000 });

test('a token that was seen before dies with its session, and no other', async () => {
  const person = await newPerson(gatehouse);
  const { token: other } = await signIn(gatehouse, person);
  expect(await judged(verifier, person.token)).toBe('accepted');
  await gatehouse.api.post('/v1/auth/logout', { token: person.token });
  await becomes(person.token, '401 revoked');
  expect(await judged(verifier, other)).toBe('accepted');
  expect(verifier.view().entries).toBeGreaterThan(0);
});

test('a token that was never seen is refused as well', async () => {
  const person = await newPerson(gatehouse);
  const probe = await newPerson(gatehouse);
  for (const { token } of [person, probe]) await gatehouse.api.post('/v1/auth/logout', { token });
  await becomes(probe.token, '401 revoked');
  expect(await judged(verifier, person.token)).toBe('401 revoked');
});

test('a token that was seen before is refused once it expires', async () => {
  const good = takeApart(gatehouse, (await newPerson(gatehouse)).token);
  const token = withClaims(good, { exp: nowSeconds() });
  expect(await judged(verifier, token)).toBe('accepted');
  await becomes(token, '401 expired');
});

test('tokens of a key that signs from now on are accepted, those of a retired key are not', async () => {
  const before = await newPerson(gatehouse);
  expect(await judged(verifier, before.token)).toBe('accepted');
  const { token } = await signInAdmin(gatehouse);
  const { header } = takeApart(gatehouse, before.token);
  const rotated = await gatehouse.api.post('/v1/auth/revoke-all', { token });
  expect(rotated.status, rotated.text).toBe(204);
  const after = await signIn(gatehouse, before);
  expect(takeApart(gatehouse, after.token).header['kid']).not.toBe(header['kid']);
  expect(await judged(verifier, after.token)).toBe('accepted');
  await becomes(before.token, '401 unknown-key');
});
