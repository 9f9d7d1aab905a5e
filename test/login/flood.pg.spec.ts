import { SqlEntityManager } from '@mikro-orm/sql';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';

import { Passwords } from '#libs/security/passwords';

import { ask } from '../support/graphql.js';
import { newPerson, type Person, registration, signIn } from '../support/people.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { recordStatements } from '../support/statements.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { CORS_ORIGINS: 'https://app.example.org' } });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const login = (headers = {}): Promise<Response> =>
  fetch(`${gatehouse.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ userName: person.userName, password: person.password }),
  });

/**
 * Fills the queue for hashes. @returns what lets one of those that wait go, and what lets all go
 */
async function fillQueue(): Promise<{ letOneGo: () => void; letGo: () => Promise<unknown> }> {
  const { queue } = gatehouse.app.get(Passwords);
  const [leaving, oneLeaving] = [new AbortController(), new AbortController()];
  // work that goes on until it is told to leave
  const gone = new Promise((resolve) => leaving.signal.addEventListener('abort', resolve, { once: true }));
  const work: Promise<unknown>[] = [];
  while (!queue.isFull) {
    // the first ones get to run
    const isFirstToWait = work.length === queue.limits.concurrency;
    const signal = isFirstToWait ? AbortSignal.any([leaving.signal, oneLeaving.signal]) : leaving.signal;
    work.push(queue.run(() => gone, { signal }).catch(() => undefined));
  }
  return {
    letOneGo: () => oneLeaving.abort(new Error('gone')),
    letGo: () => {
      leaving.abort(new Error('gone'));
      return Promise.all(work);
    },
  };
}

test('logins beyond what the queue holds are refused at once, and those that leave make room again', async () => {
  const { queue } = gatehouse.app.get(Passwords);
  const { letGo } = await fillQueue();
  const { userName, password } = person;
  const { body, headers, status } = await gatehouse.api.post('/v1/auth/login', { body: { userName, password } });
  expect([status, body.code, body.instance]).toEqual([503, 'overloaded', '/v1/auth/login']);
  expect(headers.get('retry-after')).toMatch(/^\d+$/);
  expect([headers.get('x-request-id'), headers.get('cache-control')]).toEqual([body.requestId, 'no-store']);
  const fromBrowser = await login({ origin: 'https://app.example.org' });
  const allowed = fromBrowser.headers.get('access-control-allow-origin');
  expect([fromBrowser.status, allowed]).toEqual([503, 'https://app.example.org']);
  expect(gatehouse.log.findLast(({ requestId }) => requestId === body.requestId)).toMatchObject({
    msg: 'request',
    method: 'POST',
    route: '/v1/auth/login',
    status: 503,
    errorCode: 'overloaded',
  });
  // everybody else is served meanwhile
  for (const path of ['/v1/users/me', '/health/ready']) {
    expect((await gatehouse.api.get(path, { token: person.token })).status, path).toBe(200);
  }
  await letGo();
  expect([queue.waiting, queue.running]).toEqual([0, 0]);
  expect((await signIn(gatehouse, person)).token).toBeTruthy();
});

test('of many logins that come for one place only one is looked up', async () => {
  const { letOneGo, letGo } = await fillQueue();
  const { queue } = gatehouse.app.get(Passwords);
  const refusedBefore = queue.refused;
  const statements = await recordStatements(gatehouse);
  const logins = await gatehouse.app
    .get(SqlEntityManager)
    .fork()
    .transactional(async (em) => {
      // looking up takes as long as the others need to come
      await em.execute('lock table users in access exclusive mode');
      letOneGo();
      const sent = Array.from({ length: 20 }, () => login());
      await expect.poll(() => queue.refused - refusedBefore, { interval: 2, timeout: 5_000 }).toBe(19);
      return sent;
    });
  expect(statements.filter((text) => /from users where user_name_key/.test(text))).toHaveLength(1);
  await letGo();
  const statuses = (await Promise.all(logins)).map(({ status }) => status);
  expect(statuses.toSorted((left, right) => left - right)).toEqual([200, ...Array.from({ length: 19 }, () => 503)]);
});

test('a login and a registration over GraphQL are refused as over REST, and ask the database nothing', async () => {
  const { userName, password } = person;
  const user = registration();
  const [login, create] = [
    'mutation ($userName: String!, $password: String!) { login(userName: $userName, password: $password) { sessionId } }',
    'mutation ($user: NewUser!) { createUser(user: $user) { id } }',
  ] as const;
  const mutations: readonly [query: string, variables: Record<string, unknown>][] = [
    [login, { userName, password }],
    [create, { user }],
  ];
  await ask(gatehouse, '{ __typename }');
  const { letGo } = await fillQueue();
  const { body: rest } = await gatehouse.api.post('/v1/auth/login', { body: { userName, password } });
  const statements = await recordStatements(gatehouse);
  for (const [query, variables] of mutations) {
    const { data, errors, headers } = await ask(gatehouse, query, { variables });
    expect(Object.values(data)).toEqual([null]);
    const { detail, instance: _, requestId: __, ...problem } = rest;
    expect(errors[0].message).toBe(detail);
    expect(errors[0].extensions).toMatchObject({ ...problem, instance: '/graphql', requestId: expect.any(String) });
    expect(headers.get('retry-after')).toBe('2');
  }
  expect(statements.filter((text) => /users|login_delays|audit|sessions/.test(text))).toEqual([]);
  await letGo();
  expect((await ask(gatehouse, login, { variables: { userName, password } })).data.login.sessionId).toBeTruthy();
});

test('a stop ends with the last request in flight, kept-alive connections or not', async () => {
  const own = await startGatehouse();
  const { userName, password } = await newPerson(own);
  const body = JSON.stringify({ userName, password });
  const headers = { 'content-type': 'application/json' };
  const logins = Array.from({ length: 8 }, () => fetch(`${own.url}/v1/auth/login`, { method: 'POST', headers, body }));
  const { queue } = own.app.get(Passwords);
  await expect.poll(() => queue.waiting + queue.running, { interval: 2 }).toBeGreaterThan(1);
  const inFlight = queue.waiting + queue.running;
  const stopped = own.stop();
  const answers = await Promise.allSettled(logins);
  const answered = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200);
  // those that had not reached the service yet may be turned away
  expect(answered.length).toBeGreaterThanOrEqual(inFlight);
  // the test would time out if it waited for kept-alive connections: they may be idle for 65 s
  await stopped;
});
