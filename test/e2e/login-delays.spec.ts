import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, type Person, registration } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { recordStatements } from '../support/statements.js';

let gatehouse: Gatehouse;
let person: Person;

beforeAll(async () => {
  gatehouse = await startGatehouse();
  person = await newPerson(gatehouse);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  await gatehouse.stop();
});

const login = (userName: string, password: string, cookie?: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers: cookie ? { cookie } : {} });

const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';

async function failRepeatedly(userName: string, times: number, cookie?: string): Promise<void> {
  for (let time = 0; time < times; time++) await login(userName, 'not the password', cookie);
}

/** Lets that much time go by for every delay there is. */
async function pass(seconds: number): Promise<void> {
  const em = gatehouse.app.get(SqlEntityManager).fork();
  await em.execute('update login_delays set delayed_until = delayed_until - make_interval(secs => ?)', [seconds]);
}

test('mistyping a few times costs nothing', async () => {
  await failRepeatedly(person.userName, 4);
  expect((await login(person.userName, person.password)).status).toBe(200);
});

test('after more failures even the right password waits, longer each time', async () => {
  const { userName, password } = await newPerson(gatehouse);
  await failRepeatedly(userName, 6);
  const delayed = await login(userName, password);
  expect([delayed.status, delayed.body.code]).toEqual([401, 'invalid-credentials']);
  await pass(2);
  await failRepeatedly(userName, 1);
  await pass(1);
  expect((await login(userName, password)).status).toBe(401);
  await pass(10);
  expect((await login(userName, password)).status).toBe(200);
});

test('a device that has signed in before is not held up by strangers', async () => {
  const { userName, password } = await newPerson(gatehouse);
  const cookie = cookieOf(await login(userName, password));
  expect(cookie).toMatch(/^gatehouse_device=/);
  await failRepeatedly(userName, 8);
  expect((await login(userName, password)).status).toBe(401);
  expect((await login(userName, password, cookie)).status).toBe(200);
});

test('a known device that guesses is delayed too, alone', async () => {
  const { userName, password } = await newPerson(gatehouse);
  const cookie = cookieOf(await login(userName, password));
  await failRepeatedly(userName, 6, cookie);
  expect((await login(userName, password, cookie)).status).toBe(401);
  expect((await login(userName, password)).status).toBe(200);
});

test('a cookie of somebody else, or made up, marks no device', async () => {
  const { userName, password } = await newPerson(gatehouse);
  const foreign = cookieOf(await login(person.userName, person.password));
  const forged = 'gatehouse_device=01890000-0000-7000-8000-000000000000.9999999999.AAAAAAAAAAAAAAAAAAAAAA';
  await failRepeatedly(userName, 8);
  expect((await login(userName, password, foreign)).status).toBe(401);
  expect((await login(userName, password, forged)).status).toBe(401);
});

const withoutId = ({ body }: Answer): object => ({ ...body, requestId: '' });

test('a name that nobody has is treated like one that somebody has', async () => {
  const known = await login(person.userName, 'not the password');
  const unknown = await login('nobody-here', 'not the password');
  expect(withoutId(unknown)).toEqual(withoutId(known));
  await failRepeatedly('nobody-here', 8);
  expect((await login('nobody-here', 'not the password')).status).toBe(401);
});

test('one address is limited, and told when to come back', async () => {
  const own = await startGatehouse({ RATE_LIMIT_IP_LOGIN: '3', RATE_LIMIT_IP_HASH: '2', RATE_LIMIT_IP_WRITE: '2' });
  const attempts: [path: string, body: object, limit: number][] = [
    ['/v1/auth/login', { userName: 'nobody', password: 'x' }, 3],
    ['/v1/users', registration({ password: 'short' }), 2],
    ['/v1/auth/refresh', { refreshToken: 'x' }, 2],
  ];
  for (const [path, body, limit] of attempts) {
    for (let time = 0; time < limit; time++) expect((await own.api.post(path, { body })).status).not.toBe(429);
    const refused = await own.api.post(path, { body });
    expect([refused.status, refused.body.code]).toEqual([429, 'rate-limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toContain(`q=${limit};w=60`);
  }
  await own.stop();
});

test('whatever comes of a login takes one look-up and one statement', async () => {
  const { userName, password } = await newPerson(gatehouse);
  const late = await newPerson(gatehouse);
  await failRepeatedly(late.userName, 6);
  const outcomes: [number, string, string][] = [
    [200, userName, password],
    [401, userName, 'not the password'],
    [401, 'nobody-of-that-name', password],
    [401, late.userName, late.password],
  ];
  const statements = await recordStatements(gatehouse);
  for (const [expected, name, tried] of outcomes) {
    statements.length = 0;
    expect((await login(name, tried)).status).toBe(expected);
    // sweeps run by the clock
    const own = statements.filter(
      (text) => /users|login_delays|audit_events|sessions/.test(text) && !text.includes('skip locked'),
    );
    expect(own, `${name}: ${own.join('\n')}`).toHaveLength(2);
  }
});
