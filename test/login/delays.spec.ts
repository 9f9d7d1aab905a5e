import { SqlEntityManager } from '@mikro-orm/sql';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { recordStatements } from '../support/statements.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { TRUST_PROXY: '127.0.0.1' } });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const login = (userName: string, password: string, cookie?: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers: cookie ? { cookie } : {} });

/** As `login`, from an address of its own. */
const loginFrom = (ip: string, userName: string, password: string): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers: { 'x-forwarded-for': ip } });

async function failFrom(ips: readonly string[], userName: string): Promise<void> {
  await Promise.all(ips.map((ip) => loginFrom(ip, userName, 'not the password')));
  await stretchDelays();
}

/** So many addresses of as many strangers. */
const strangers = (count: number, network = '198.51'): string[] =>
  Array.from({ length: count }, (_, index) => `${network}.${Math.floor(index / 250)}.${1 + (index % 250)}`);

/** Of an account, the counter that strangers share. */
const shared = "subject = ? and device = 'ffffffff-ffff-ffff-ffff-ffffffffffff'";
const strangersFailures = async (id: string): Promise<number> =>
  (await sql(`select failures from login_delays where ${shared}`, [id]))[0]?.failures;
/** As after so many guesses: each costs a hash, which is what takes the time here. */
const setStrangersFailures = (id: string, failures: number): Promise<unknown> =>
  sql(`update login_delays set failures = ? where ${shared}`, [failures, id]);

const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';

async function failRepeatedly(userName: string, times: number, cookie?: string): Promise<void> {
  for (let time = 0; time < times; time++) {
    await login(userName, 'not the password', cookie);
    await stretchDelays();
  }
}

const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);

/** A delay of a second is one of a thousand, so that no test depends on how fast the machine is. */
const stretchDelays = (): Promise<unknown> =>
  sql(`update login_delays set delayed_until = last_failed_at + 1000 * (delayed_until - last_failed_at)
    where delayed_until > last_failed_at and delayed_until < last_failed_at + interval '950 s'`);

/** Lets that much time go by for every delay there is. */
const pass = (seconds: number): Promise<unknown> =>
  sql('update login_delays set delayed_until = delayed_until - make_interval(secs => ?)', [seconds]);

test('mistyping a few times costs nothing', async () => {
  await failRepeatedly(person.userName, 4);
  expect((await login(person.userName, person.password)).status).toBe(200);
});

test('after more failures even the right password waits, longer each time', async () => {
  const { userName, password } = await newPerson(gatehouse);
  await failRepeatedly(userName, 6);
  const delayed = await login(userName, password);
  expect([delayed.status, delayed.body.code]).toEqual([401, 'invalid-credentials']);
  await pass(1_000);
  await failRepeatedly(userName, 1);
  await pass(1_000);
  expect((await login(userName, password)).status).toBe(401);
  await pass(1_000);
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

test('a stranger who guesses at another address does not hold the owner up, on a new device either', async () => {
  const { id, userName, password } = await newPerson(gatehouse);
  for (let time = 0; time < 16; time++) {
    await failFrom(['203.0.113.66'], userName);
    await pass(1_000_000);
  }
  expect(await strangersFailures(id)).toBe(10);
  await failFrom(['203.0.113.66'], userName);
  expect((await loginFrom('203.0.113.66', userName, password)).status).toBe(401);
  expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(200);
});

test("guesses between the owner's logins add up", async () => {
  const { userName, password } = await newPerson(gatehouse);
  for (let time = 0; time < 2; time++) {
    for (let guess = 0; guess < 4; guess++) await failFrom(['203.0.113.66'], userName);
    expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(200);
  }
  expect((await loginFrom('203.0.113.66', userName, password)).status).toBe(401);
});

test("guesses at the owner's own address, by a device that it does not know, add up for the account", async () => {
  const { id, userName, password } = await newPerson(gatehouse);
  const cookie = cookieOf(await login(userName, password));
  for (const failures of [4, 8]) {
    await failFrom(Array<string>(4).fill('192.0.2.7'), userName);
    expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(200);
    expect(await strangersFailures(id)).toBe(failures);
  }
  await setStrangersFailures(id, 98);
  await failFrom(Array<string>(4).fill('192.0.2.7'), userName);
  expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(401);
  expect((await login(userName, password, cookie)).status).toBe(200);
});

test('guesses from very many addresses are slowed too, and make few rows; the own device gets in', async () => {
  const { id, userName, password } = await newPerson(gatehouse);
  const cookie = cookieOf(await login(userName, password));
  await failFrom(strangers(6), userName);
  expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(200);
  await setStrangersFailures(id, 98);
  await failFrom(strangers(6, '198.18'), userName);
  expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(401);
  expect((await login(userName, password, cookie)).status).toBe(200);
  await failFrom(strangers(20, '198.19'), userName);
  const [{ rows }] = await sql('select count(*)::int as rows from login_delays where subject = ?', [id]);
  expect(rows).toBeLessThan(16);
  await pass(1_000_000);
  expect((await loginFrom('192.0.2.7', userName, password)).status).toBe(200);
});

test('the networks of one IPv6 customer count together, and not with those of another', async () => {
  const { userName, password } = await newPerson(gatehouse);
  await failFrom(
    Array.from({ length: 22 }, (_, index) => `2001:db8:0:a${index.toString(16).padStart(2, '0')}::1`),
    userName,
  );
  expect((await loginFrom('2001:db8:0:aff::1', userName, password)).status).toBe(401);
  expect((await loginFrom('2001:db8:0:b00::1', userName, password)).status).toBe(200);
});

test('addresses of one IPv6 network are one', async () => {
  const { userName, password } = await newPerson(gatehouse);
  await failFrom(
    Array.from({ length: 8 }, (_, index) => `2001:db8:0:c00::${index + 1}`),
    userName,
  );
  expect((await loginFrom('2001:db8:0:c00:ffff::1', userName, password)).status).toBe(401);
});

test.for<[string, string, (id: string) => string, { password: string }?]>([
  ['an administrator lifts it', 'DELETE', (id) => `/v1/users/${id}/login-delay`],
  [
    'an administrator sets a new password',
    'PUT',
    (id) => `/v1/users/${id}/password`,
    { password: 'ten tall chimneys' },
  ],
])('a delay is over when %s', async ([, method, path, body]) => {
  const { id, userName, password } = await newPerson(gatehouse);
  await failRepeatedly(userName, 8);
  expect((await login(userName, password)).status).toBe(401);
  const { token } = await signInAdmin(gatehouse);
  expect((await gatehouse.api.call(method, path(id), { token, body })).status).toBe(204);
  expect((await login(userName, body?.password ?? password)).status).toBe(200);
});

test('who lifted a delay is in the audit trail', async () => {
  const { token } = await signInAdmin(gatehouse);
  expect((await gatehouse.api.delete(`/v1/users/${person.id}/login-delay`, { token })).status).toBe(204);
  const { items } = (await gatehouse.api.get(`/v1/audit?userId=${person.id}&limit=1`, { token })).body;
  expect(items[0]).toMatchObject({ event: 'login-delay-lifted', userId: person.id });
});

test('one failure is forgotten in as long as the longest delay takes', async () => {
  const { id, userName, password } = await newPerson(gatehouse);
  await failRepeatedly(userName, 5);
  await sql(`update login_delays set last_failed_at = last_failed_at - interval '46 min' where subject = ?`, [id]);
  await failRepeatedly(userName, 3);
  expect((await login(userName, password)).status).toBe(200);
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
