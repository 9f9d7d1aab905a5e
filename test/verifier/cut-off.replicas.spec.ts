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

/** Tokens that all verifiers have seen to be good. */
async function knownTokens(count: number): Promise<readonly string[]> {
  const tokens = await Promise.all(Array.from({ length: count }, newToken));
  for (const token of tokens) expect(await verdicts(token)).toEqual(['accepted', 'accepted', 'accepted']);
  return tokens;
}

async function logOutHeardOfByAll(token: string): Promise<void> {
  await logOut(token);
  await expect.poll(() => verdicts(token), waiting).toEqual(['revoked', 'revoked', 'revoked']);
}

async function notOver(tokens: readonly string[]): Promise<string[]> {
  const all = await Promise.all(tokens.map(verdicts));
  return tokens.filter((_, at) => all[at]?.some((verdict) => verdict !== 'revoked'));
}

describe.each([
  ['refuses connections', () => proxy.cut()],
  ['answers nothing any more', async () => proxy.stall()],
])('while Gatehouse %s', (_, cutOff) => {
  let heardOf: string;
  let good: string;
  let endedMeanwhile: readonly string[];
  const told: string[] = [];

  beforeAll(async () => {
    const afterMs = 1_000;
    refuse = newVerifier({ staleness: { afterMs, then: 'refuse' } });
    introspect = newVerifier({ staleness: { afterMs, then: 'introspect' } });
    allow = newVerifier({ staleness: { afterMs, then: 'allow' } });
    all = [refuse, introspect, allow];
    refuse.on('stale', () => told.push('stale'));
    refuse.on('fresh', () => told.push('fresh'));
    await Promise.all(all.map((verifier) => verifier.ready()));
    [heardOf = '', good = '', ...endedMeanwhile] = await knownTokens(102);
    await logOutHeardOfByAll(heardOf);
    await cutOff();
    for (const token of endedMeanwhile) await logOut(token);
  });
  afterAll(async () => {
    await Promise.all(all.map((verifier) => verifier.close()));
    await proxy.mend();
  });

  test('whoever refuses says that it cannot know, and so does whoever cannot ask', async () => {
    await expect.poll(() => verdictOf(refuse, good), waiting).toBe('stale');
    await expect.poll(() => verdictOf(introspect, good), waiting).toBe('stale');
    expect(told.at(-1)).toBe('stale');
  });

  test('whoever allows says that what it knows is old', async () => {
    await expect.poll(async () => (await allow.verify(good)).isStale, waiting).toBe(true);
    expect(allow.view().ageMs).toBeGreaterThan(1_000);
  });

  test('what was heard of before is refused by all', async () => {
    expect(await verdicts(heardOf)).toEqual(['revoked', 'revoked', 'revoked']);
  });

  test('none of 100 ends is missed when it is back', async () => {
    await proxy.mend();
    await expect.poll(() => notOver(endedMeanwhile), { ...waiting, timeout: 40_000 }).toEqual([]);
    await expect.poll(() => verdicts(good), waiting).toEqual(['accepted', 'accepted', 'accepted']);
    expect(told.slice(-2)).toEqual(['stale', 'fresh']);
    expect((await allow.verify(good)).isStale).toBe(false);
  }, 60_000);
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
