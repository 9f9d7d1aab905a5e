import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { createVerifier, type Verifier, type VerifierOptions } from '#verifier';

import { freePort } from '../support/free-port.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';
import { verdictOf } from '../support/verifier-group.js';

let gatehouse: Gatehouse;
let proxy: Proxy;
let service: Service;
let person: Person;
/** Verifiers by what they do with a token while what they know is too old. */
let refuse: Verifier;
let introspect: Verifier;
let allow: Verifier;
let all: readonly Verifier[];

beforeAll(async () => {
  const port = String(await freePort());
  gatehouse = await startGatehouse({ PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`, SESSIONS_PER_USER: '1000' });
  proxy = await startProxy(gatehouse.url);
  const { token } = await signInAdmin(gatehouse);
  service = await newService(gatehouse, { token, scopes: ['revocations:read', 'tokens:introspect'] });
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  await proxy.cut();
  await gatehouse.stop();
});

const newVerifier = (options: Partial<VerifierOptions>): Verifier =>
  createVerifier({
    issuer: gatehouse.url,
    audience: gatehouse.url,
    url: proxy.url,
    serviceKey: service.headers['x-service-key'],
    requestTimeoutMs: 500,
    ...options,
  });

const newToken = async (): Promise<string> => (await signIn(gatehouse, person)).token;
const logOut = async (token: string): Promise<void> => {
  expect((await gatehouse.api.post('/v1/auth/logout', { token })).status).toBe(204);
};
const verdicts = (token: string): Promise<string[]> => Promise.all(all.map((verifier) => verdictOf(verifier, token)));
const waiting = { timeout: 20_000, interval: 10 };

/** Those of the tokens to which not every verifier says this. */
async function notSaying(wanted: string, tokens: readonly string[]): Promise<string[]> {
  const said = await Promise.all(tokens.map(verdicts));
  return tokens.filter((_, at) => said[at]?.some((verdict) => verdict !== wanted));
}

describe.each([
  ['refuses connections', () => proxy.cut()],
  ['answers nothing any more', async () => proxy.stall()],
])('while Gatehouse %s', (_, cutOff) => {
  beforeEach(async () => {
    refuse = newVerifier({ staleness: { afterMs: 2_000, then: 'refuse' } });
    introspect = newVerifier({ staleness: { afterMs: 2_000, then: 'introspect' } });
    allow = newVerifier({ staleness: { afterMs: 2_000, then: 'allow' } });
    all = [refuse, introspect, allow];
    await Promise.all(all.map((verifier) => verifier.ready()));
  });
  afterEach(async () => {
    await Promise.all(all.map((verifier) => verifier.close()));
    await proxy.mend();
  });

  test('each does as it was told, what was heard before stays refused, and none of 100 ends is missed afterwards', async () => {
    const told: string[] = [];
    const [heardOf = '', good = '', ...endedMeanwhile] = await Promise.all(Array.from({ length: 102 }, newToken));
    // each of them is known to be good
    await expect.poll(() => notSaying('accepted', endedMeanwhile), waiting).toEqual([]);
    await logOut(heardOf);
    await expect.poll(() => notSaying('revoked', [heardOf]), waiting).toEqual([]);
    refuse.on('stale', () => told.push('stale')).on('fresh', () => told.push('fresh'));

    await cutOff();
    for (const token of endedMeanwhile) await logOut(token);
    await expect.poll(() => verdictOf(refuse, good), waiting).toBe('stale');
    await expect.poll(() => verdictOf(introspect, good), waiting).toBe('stale');
    await expect.poll(async () => (await allow.verify(good)).isStale, waiting).toBe(true);
    expect(allow.view().ageMs).toBeGreaterThan(2_000);
    expect(await verdicts(heardOf)).toEqual(['revoked', 'revoked', 'revoked']);
    expect(told.at(-1)).toBe('stale');

    await proxy.mend();
    await expect.poll(() => notSaying('revoked', endedMeanwhile), { ...waiting, timeout: 40_000 }).toEqual([]);
    await expect.poll(() => notSaying('accepted', [good]), waiting).toEqual([]);
    await expect.poll(() => told.slice(-2), waiting).toEqual(['stale', 'fresh']);
    await expect.poll(async () => (await allow.verify(good)).isStale, waiting).toBe(false);
  }, 90_000);
});

describe('while only the feed is cut', () => {
  let verifier: Verifier;
  let isCut = false;
  const feedCut: typeof fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    if (isCut && pathname.startsWith('/v1/auth/revocations')) throw new TypeError('cut');
    return fetch(input, init);
  };

  beforeEach(async () => {
    isCut = false;
    verifier = newVerifier({ staleness: { afterMs: 500, then: 'introspect' }, fetch: feedCut });
    await verifier.ready();
  });
  afterEach(() => verifier.close());

  test('whoever introspects stays right about each token', async () => {
    const [ended, good] = [await newToken(), await newToken()];
    expect([await verdictOf(verifier, ended), await verdictOf(verifier, good)]).toEqual(['accepted', 'accepted']);
    isCut = true;
    await expect.poll(() => verifier.view().ageMs, waiting).toBeGreaterThan(500);
    await logOut(ended);
    expect([await verdictOf(verifier, ended), await verdictOf(verifier, good)]).toEqual(['revoked', 'accepted']);
  });
});
