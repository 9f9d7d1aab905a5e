import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { RateLimitState } from '#libs/security/rate-limits';

import type { Answer } from '../support/api.js';
import { freePort } from '../support/free-port.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { keyOf, newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const few = 5;
const own = {
  RATE_LIMIT_IP_READ: String(few),
  RATE_LIMIT_IP_WRITE: String(few),
  RATE_LIMIT_IP_LOGIN: String(few),
  RATE_LIMIT_IP_HASH: '4',
  RATE_LIMIT_USER_READ: '7',
  // so that each test has addresses of its own
  TRUST_PROXY: '127.0.0.1',
};

let gatehouse: Gatehouse;
let token: string;
let lastAddress = 0;

beforeAll(async () => {
  gatehouse = await startGatehouse(own);
  token = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse.stop();
});

const from = (address = `192.0.2.${++lastAddress}`) => ({ 'x-forwarded-for': address });
const codes = (answers: readonly Answer[]): unknown[] => answers.map(({ status }) => status);

async function repeat(times: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let time = 0; time < times; time++) answers.push(await ask());
  return answers;
}
const allBut = (count: number, status: number, last: number): number[] => [...Array<number>(count).fill(status), last];

describe('an answer', () => {
  test('tells the limit and what is left of it', async () => {
    const headers = from();
    const answers = await repeat(2, () => gatehouse.api.get('/.well-known/jwks.json', { headers }));
    expect(answers.map((answer) => answer.headers.get('ratelimit-policy'))).toEqual([
      '"ip-read";q=5;w=60',
      '"ip-read";q=5;w=60',
    ]);
    expect(answers.map((answer) => answer.headers.get('ratelimit'))).toEqual([
      '"ip-read";r=4;t=60',
      expect.stringMatching(/^"ip-read";r=3;t=(59|60)$/),
    ]);
  });

  test('beyond it names the policy and says when to come back', async () => {
    const headers = from();
    const answers = await repeat(few + 1, () => gatehouse.api.get('/.well-known/jwks.json', { headers }));
    expect(codes(answers)).toEqual(allBut(few, 200, 429));
    const refused = answers.at(-1);
    const wait = Number(refused?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(61);
    expect(refused?.headers.get('ratelimit')).toBe(`"ip-read";r=0;t=${wait}`);
    expect(refused?.body).toMatchObject({ code: 'rate-limited', 'violated-policies': ['ip-read'] });
    expect(refused?.body.detail).toContain('"ip-read"');
  });

  test('is counted on every route but the few that say so', async () => {
    const { paths } = (await gatehouse.api.get('/openapi.json')).body;
    const routes = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => ({ method: method.toUpperCase(), path })),
    );
    const answers = await Promise.all(
      routes.map(async ({ method, path }) => {
        const answer = await gatehouse.api.call(method, path.replaceAll(/\{\w+\}/g, 'nobody'), { headers: from() });
        return { route: `${method} ${path}`, field: answer.headers.get('ratelimit') };
      }),
    );
    const uncounted = answers.filter(({ field }) => field === null).map(({ route }) => route);
    expect(uncounted.filter((route) => !route.startsWith('GET /health/'))).toEqual([]);
    expect(answers.filter(({ field }) => field !== null).length).toBeGreaterThan(20);
    expect(answers.find(({ route }) => route === 'GET /v1/users/{id}')?.field).toContain('"ip-read"');
    expect(answers.find(({ route }) => route === 'PATCH /v1/users/{id}')?.field).toContain('"ip-write"');
  });

  test('to a probe is never refused', async () => {
    const headers = from();
    const answers = await repeat(few * 3, () => gatehouse.api.get('/health/live', { headers }));
    expect(new Set(codes(answers))).toEqual(new Set([200]));
  });
});

const keys = (address: string) => gatehouse.api.get('/.well-known/jwks.json', { headers: from(address) });

describe('who is counted', () => {
  test('an address by itself; of IPv6 its /64', async () => {
    await repeat(few, () => keys('2001:db8:1:2::1'));
    expect((await keys('2001:db8:1:2:ffff::9')).status).toBe(429);
    expect((await keys('2001:db8:1:3::1')).status).toBe(200);
    expect((await keys('198.51.100.1')).status).toBe(200);
  });

  test('a user by itself, wherever the requests come from', async () => {
    const headers = from();
    const [ada, eve] = [await newPerson(gatehouse), await newPerson(gatehouse)];
    const me = (who: { token: string }) => gatehouse.api.get('/v1/users/me', { token: who.token, headers });
    expect(codes(await repeat(8, () => me(ada)))).toEqual(allBut(7, 200, 429));
    expect((await gatehouse.api.get('/v1/users/me', { token: ada.token, headers: from() })).status).toBe(429);
    expect((await me(eve)).status).toBe(200);
  });

  test('a service by its own plan, also when it acts for users', async () => {
    const { name, headers } = await newService(gatehouse, { token, scopes: [], plan: { read: { limit: 9 } } });
    const people = [await newPerson(gatehouse), await newPerson(gatehouse)];
    const answers = await repeat(10, () =>
      gatehouse.api.get('/v1/users/me', { headers, token: people[Math.floor(Math.random() * 2)]?.token }),
    );
    expect(codes(answers)).toEqual(allBut(9, 200, 429));
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"service-read";q=9;w=60');
    const usage = await gatehouse.api.get(`/v1/services/${name}/usage`, { token });
    expect(usage.body.classes.read).toEqual({
      limit: 9,
      windowSeconds: 60,
      window: { used: 9, refused: 1, resetSeconds: expect.any(Number) },
      day: { used: 9, refused: 1 },
    });
  });

  test('a service that forwards the logins of many, by its plan and not by its address', async () => {
    const headers = from();
    const login = (key: object) =>
      gatehouse.api.post('/v1/auth/login', {
        body: { userName: 'nobody', password: 'x' },
        headers: { ...headers, ...key },
      });
    const shop = await newService(gatehouse, { token, scopes: [], plan: { login: { limit: 8 } } });
    expect(codes(await repeat(9, () => login(shop.headers)))).toEqual(allBut(8, 401, 429));
    expect(codes(await repeat(few + 1, () => login({})))).toEqual(allBut(few, 401, 429));
  });

  test('a login with a key that is not good is refused for the key', async () => {
    const body = { userName: 'admin', password: 'x' };
    const answer = await gatehouse.api.post('/v1/auth/login', { body, headers: { ...from(), ...keyOf('shop', 'x') } });
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid-service-key']);
  });

  test('a login beside a token that has expired is a login', async () => {
    const body = { userName: 'nobody', password: 'x' };
    const answer = await gatehouse.api.post('/v1/auth/login', { body, token: 'garbage', headers: from() });
    expect(answer.body.code).toBe('invalid-credentials');
  });

  test('registrations, by address', async () => {
    const headers = from();
    const register = () => gatehouse.api.post('/v1/users', { body: registration({ password: 'short' }), headers });
    expect(codes(await repeat(5, register))).toEqual(allBut(4, 400, 429));
  });
});

describe('whoever guesses credentials', () => {
  const wrong: [string, () => { token?: string; headers?: Record<string, string> }][] = [
    ['keys', () => ({ headers: keyOf('billing', 'guess') })],
    ['bare names', () => ({ headers: { 'x-service-name': 'billing' } })],
    ['tokens', () => ({ token: 'guess' })],
    ['nothing at all', () => ({})],
  ];
  test.each(wrong)('is limited by address: %s', async (_, credentials) => {
    const address = from();
    const { token: guess, headers } = credentials();
    const answers = await repeat(few + 1, () =>
      gatehouse.api.get('/v1/users', { token: guess, headers: { ...address, ...headers } }),
    );
    expect(codes(answers)).toEqual(allBut(few, 401, 429));
    expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"ip-read";r=4;t=60$/);
  });

  test('secrets at introspection too, in its own form of errors', async () => {
    const address = from();
    const body = new URLSearchParams({ token: 'a', client_id: 'billing', client_secret: 'guess' });
    const answers = await repeat(few + 1, () => gatehouse.api.post('/v1/auth/introspect', { body, headers: address }));
    expect(codes(answers)).toEqual(allBut(few, 401, 429));
    expect(answers.at(-1)?.body).toMatchObject({ error: 'temporarily_unavailable', code: 'rate-limited' });
  });

  test('shuts out nobody with good ones behind the same address', async () => {
    const address = from();
    const service = await newService(gatehouse, { token, scopes: ['users:read'] });
    const list = (key: object) => gatehouse.api.get('/v1/users', { headers: { ...address, ...key } });
    await repeat(few + 2, () => list(keyOf(service.name, 'guess')));
    expect((await list(service.headers)).status).toBe(200);
  });

  test('is refused by what is known of the caller: a service that may not, by its plan', async () => {
    const { headers } = await newService(gatehouse, { token, scopes: [], plan: { read: { limit: 2 } } });
    const answers = await repeat(3, () => gatehouse.api.get('/v1/users', { headers }));
    expect(codes(answers)).toEqual(allBut(2, 403, 429));
  });
});

test('refusals are counted by caller and class', async () => {
  const { refusals, countedIn, isRedisConfigured } = gatehouse.app.get(RateLimitState);
  expect(refusals).toContainEqual({ kind: 'ip', rateClass: 'login', count: expect.any(Number) });
  expect([countedIn, isRedisConfigured]).toEqual(['memory', false]);
});

test('without TRUST_PROXY nobody picks an address', async () => {
  const strict = await startGatehouse({ RATE_LIMIT_IP_READ: '3' });
  const answers = await repeat(4, () => strict.api.get('/.well-known/jwks.json', { headers: from() }));
  await strict.stop();
  expect(codes(answers)).toEqual(allBut(3, 200, 429));
});

const startWithoutRedis = async (without: string): Promise<Gatehouse> =>
  startGatehouse({
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    RATE_LIMIT_WITHOUT_REDIS: without,
    RATE_LIMIT_IP_READ: '3',
  });

describe('where nothing listens at REDIS_URL', () => {
  test('the service starts and counts for itself, and says so once', async () => {
    const alone = await startWithoutRedis('local');
    const answers = await repeat(4, () => alone.api.get('/.well-known/jwks.json'));
    const state = alone.app.get(RateLimitState);
    expect([state.countedIn, state.isRedisConfigured, state.isRedisConnected]).toEqual(['fallback', true, false]);
    await alone.stop();
    expect(codes(answers)).toEqual(allBut(3, 200, 429));
    expect(alone.log.filter(({ event }) => String(event).startsWith('Redis cannot be had'))).toHaveLength(1);
  });

  test('it refuses where that is configured, but for probes', async () => {
    const strict = await startWithoutRedis('refuse');
    const refused = await strict.api.get('/.well-known/jwks.json');
    const alive = await strict.api.get('/health/live');
    await strict.stop();
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    expect(alive.status).toBe(200);
  });
});

test('limits that are switched off count nothing', async () => {
  const open = await startGatehouse({ RATE_LIMITS: 'off', RATE_LIMIT_IP_READ: '1' });
  const answers = await repeat(3, () => open.api.get('/.well-known/jwks.json'));
  await open.stop();
  expect(codes(answers)).toEqual([200, 200, 200]);
  expect(answers[0]?.headers.get('ratelimit')).toBeNull();
});
