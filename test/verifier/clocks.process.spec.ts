import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { claimsOf } from '../support/roles.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { startVerifierProcess, type VerifierProcess } from '../support/verifier-process.js';

const minuteMs = 60_000;
let gatehouse: Gatehouse;
let service: Service;
let person: Person;
let [behind, ahead]: VerifierProcess[] = [];

beforeAll(async () => {
  const port = String(await freePort());
  const shortLived = { ACCESS_TOKEN_TTL_SECONDS: '30', SESSIONS_PER_USER: '100' };
  gatehouse = await startGatehouse({ PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`, ...shortLived });
  const { token } = await signInAdmin(gatehouse);
  service = await newService(gatehouse, { token, scopes: ['revocations:read'] });
  [behind, ahead] = await Promise.all([start(-minuteMs), start(minuteMs)]);
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  await behind?.stop();
  await ahead?.stop();
  await gatehouse.stop();
});

/** As tolerant as a verifier may be, so that it takes a token for as long as anybody could. */
const start = (clockOffMs: number): Promise<VerifierProcess> =>
  startVerifierProcess(clockOffMs, {
    issuer: gatehouse.url,
    audience: gatehouse.url,
    serviceKey: service.headers['x-service-key'],
    staleness: { afterMs: minuteMs, then: 'refuse' },
    clockToleranceSeconds: 60,
  });

async function saidBy(verifier: VerifierProcess | undefined, tokens: readonly string[]): Promise<Set<string>> {
  const verdicts = new Set<string>();
  for (const token of tokens) verdicts.add((await verifier?.verdict(token)) ?? 'not started');
  return verdicts;
}

test('a verifier a minute behind and one a minute ahead accept nothing revoked, before and after it has expired', async () => {
  const tokens = await Promise.all(Array.from({ length: 21 }, async () => (await signIn(gatehouse, person)).token));
  const [good = '', ...ended] = tokens;
  expect(await saidBy(behind, tokens)).toEqual(new Set(['accepted']));
  expect(await saidBy(ahead, tokens)).toEqual(new Set(['accepted']));
  for (const token of ended) await gatehouse.api.post('/v1/auth/logout', { token });
  for (const verifier of [behind, ahead]) {
    await expect.poll(() => saidBy(verifier, ended), { timeout: 20_000 }).toEqual(new Set(['revoked']));
  }

  const expiresAtMs = Math.max(...tokens.map((token) => claimsOf(token).exp)) * 1_000;
  await sleep(expiresAtMs + 1_000 - Date.now());
  expect(await saidBy(behind, [good])).toEqual(new Set(['accepted']));
  expect(await saidBy(behind, ended)).toEqual(new Set(['revoked']));
  expect(await saidBy(ahead, tokens)).not.toContain('accepted');
  // it hears of ends only from what is still told
  const late = await start(-minuteMs);
  expect(await saidBy(late, [good])).toEqual(new Set(['accepted']));
  expect(await saidBy(late, ended)).toEqual(new Set(['revoked']));
  await late.stop();
}, 120_000);
