import { randomUUID } from 'node:crypto';

import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { RateLimitState } from '#libs/security/rate-limits';

import { limitScript } from '../../libs/security/rate-limits/src/limit-script.js';
import type { Answer } from '../support/api.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { limitVectors } from '../support/limit-vectors.js';
import { signInAdmin } from '../support/people.js';
import { startRedis } from '../support/redis-server.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

const redis = await startRedis();
afterAll(() => redis?.stop());

describe.skipIf(!redis)('the script of Redis decides as the pure function does:', () => {
  test.each(limitVectors)('%s', async (_, steps) => {
    const client = await createClient({ url: redis?.url ?? '' }).connect();
    const key = `gatehouse:test:${randomUUID()}`;
    for (const { atMs, times = 1, limit = 10, expected } of steps) {
      let answer: number[] = [];
      for (let time = 0; time < times; time++) {
        const values = [`${limit} 1000 1 0`, String(atMs)];
        answer = (await client.eval(limitScript, { keys: [key], arguments: values })) as number[];
      }
      const [allowed, used, resetMs, retryMs, refused] = answer;
      expect({ isAllowed: allowed === 1, used, resetMs, retryMs, refused }, `at ${atMs} ms`).toEqual(expected);
    }
    client.destroy();
  });
});

const passed = (answers: readonly Answer[]): number => answers.filter(({ status }) => status === 200).length;

describe.skipIf(!redis)('two replicas with Redis', () => {
  let own: OwnDatabase;
  let proxy: Proxy;
  let replicas: readonly [Gatehouse, Gatehouse];
  let token: string;

  beforeAll(async () => {
    own = await copyDatabase();
    proxy = await startProxy(redis?.url ?? '');
    const environment = { REDIS_URL: proxy.url, TRUST_PROXY: '127.0.0.1', RATE_LIMIT_IP_READ: '3' };
    replicas = [await startGatehouse(environment, own), await startGatehouse(environment, own)];
    token = (await signInAdmin(replicas[0])).token;
    await connected();
  });
  afterAll(async () => {
    await Promise.all(replicas.map(({ stop }) => stop()));
    await proxy.cut();
    await own.drop();
  });

  const states = () => replicas.map(({ app }) => app.get(RateLimitState));
  const connected = () =>
    vi.waitFor(
      () =>
        expect(states().map(({ countedIn, replicas: seen }) => [countedIn, seen])).toEqual([
          ['redis', 2],
          ['redis', 2],
        ]),
      { timeout: 15_000 },
    );
  /** What was logged of it by both: two services in one process share Nest's logger. */
  const givenUp = () =>
    replicas.flatMap(({ log }) => log.filter(({ event }) => String(event).startsWith('Redis cannot')));
  const reader = (limit: number): Promise<Service> =>
    newService(replicas[0], { token, scopes: ['users:read'], plan: { read: { limit } } });
  const list = (at: number, { headers }: Service): Promise<Answer> =>
    (replicas[at % 2] ?? replicas[0]).api.get('/v1/users?limit=1', { headers });
  const both = (count: number, service: Service): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, (_, at) => list(at, service)));

  test('requests to both at once get the limit, once', async () => {
    const service = await reader(25);
    // a service is known on the other replica when it has heard of it
    await expect.poll(async () => (await list(1, service)).status, { timeout: 5_000 }).toBe(200);
    const answers = await both(60, service);
    expect(passed(answers)).toBe(24);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    const usage = await Promise.all(
      replicas.map(({ api }) => api.get(`/v1/services/${service.name}/usage`, { token })),
    );
    for (const { body } of usage) {
      expect(body).toMatchObject({ countedIn: 'redis', classes: { read: { window: { used: 25, refused: 36 } } } });
    }
    // both have written theirs now
    const path = `/v1/services/${service.name}/usage`;
    const { day } = (await replicas[0].api.get(path, { token })).body.classes.read;
    expect(day).toEqual({ used: 25, refused: 36 });
  });

  const readFrom = async (at: number, address: string): Promise<number> => {
    const { api } = replicas[at % 2] ?? replicas[0];
    return (await api.get('/.well-known/jwks.json', { headers: { 'x-forwarded-for': address } })).status;
  };

  test('a household of IPv6 with many networks has its few limits once, and the refused ones cost others nothing', async () => {
    const same = await Promise.all(Array.from({ length: 20 }, (_, at) => readFrom(at, '2001:db8:1:100::1')));
    expect(same.filter((status) => status === 200)).toHaveLength(3);
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, at) => readFrom(at, `2001:db8:1:1${(at + 16).toString(16)}::1`)),
    );
    expect(others.filter((status) => status === 200)).toHaveLength(9);
  });

  test('a plan that changes on one acts on the other', async () => {
    const service = await reader(1);
    await expect.poll(async () => (await list(1, service)).status, { timeout: 5_000 }).not.toBe(401);
    expect((await list(1, service)).status).toBe(429);
    const body = { plan: { read: { limit: 1_000 } } };
    await replicas[0].api.patch(`/v1/services/${service.name}`, { token, body });
    await expect.poll(async () => (await list(1, service)).status, { timeout: 5_000, interval: 20 }).toBe(200);
  });

  test('without Redis each counts its share, says so once, comes back by itself, and the counts go on', async () => {
    const service = await reader(20);
    await expect.poll(async () => (await list(1, service)).status, { timeout: 5_000 }).toBe(200);
    await proxy.cut();
    const answers = await both(60, service);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    // 10 for each, but what was used before
    expect(passed(answers)).toBe(19);
    for (const state of states()) {
      expect(state).toMatchObject({ countedIn: 'fallback', isRedisConnected: false, replicas: 2 });
    }
    expect(givenUp()).toHaveLength(replicas.length);
    await proxy.mend();
    await connected();
    // each tells Redis with its next request what it let through
    // meanwhile: 1 before, 10, and this one
    expect((await list(0, service)).headers.get('ratelimit')).toMatch(/^"service-read";r=8;t=\d+$/);
    expect((await list(1, service)).status).toBe(429);
  });

  test('each replica gives up once on a Redis that takes commands and answers none, and lets requests through', async () => {
    const service = await reader(1_000);
    await expect.poll(async () => (await list(1, service)).status, { timeout: 5_000 }).toBe(200);
    const before = givenUp().length;
    proxy.stall();
    for (let round = 0; round < 2; round++) {
      expect(passed(await both(20, service))).toBe(20);
      expect(states().map(({ countedIn }) => countedIn)).toEqual(['fallback', 'fallback']);
      expect(givenUp()).toHaveLength(before + replicas.length);
    }
    await proxy.mend();
    await connected();
  });
});
