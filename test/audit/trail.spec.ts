import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer, Call } from '../support/api.js';
import { admin, newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { REFRESH_GRACE_SECONDS: '0' } });
let boss: Awaited<ReturnType<typeof signInAdmin>>;
let bossId: string;

beforeAll(async () => {
  boss = await signInAdmin(gatehouse);
  bossId = (await gatehouse.api.get('/v1/users/me', { token: boss.token })).body.id;
});

const read = (query: Record<string, string> = {}, token = boss.token): Promise<Answer> =>
  gatehouse.api.get(`/v1/audit?${new URLSearchParams(query).toString()}`, { token });
const itemsOf = async (query: Record<string, string>): Promise<any[]> => (await read(query)).body.items;

const newcomer = { userName: uniqueName(), firstName: 'Ada', lastName: 'Byron', password: 'six red lanterns' };
const loginOf = ({ userName, password }: Person): object => ({ userName, password });
const nobody = (): string => 'anonymous';
const chief = (): string => `user:${bossId}`;
const byBoss = (body?: object): Call => ({ token: boss.token, ...(body && { body }) });

describe('what is recorded', () => {
  let person: Person;
  let other: Person;
  let erased: Person;
  let service: Service;
  const secrets: string[] = [];

  beforeAll(async () => {
    person = await newPerson(gatehouse);
    other = await newPerson(gatehouse);
    erased = await newPerson(gatehouse);
    service = await newService(gatehouse, { token: boss.token, scopes: ['tokens:revoke'] });
    secrets.push(service.secret, admin.password, boss.token, boss.refreshToken);
    for (const { token, refreshToken, password } of [person, other]) secrets.push(token, refreshToken, password);
  });

  const self = (): string => `user:${person.id}`;
  /** In this order: each step finds the world as the one before left it. */
  const steps: [event: string, caller: () => string, method: string, path: () => string, call: () => Call][] = [
    ['user-created', nobody, 'POST', () => '/v1/users', () => ({ body: newcomer })],
    ['login-succeeded', nobody, 'POST', () => '/v1/auth/login', () => ({ body: loginOf(person) })],
    [
      'login-failed',
      nobody,
      'POST',
      () => '/v1/auth/login',
      () => ({ body: { ...loginOf(person), password: 'not this one' } }),
    ],
    [
      'token-revoked',
      () => `service:${service.name}`,
      'POST',
      () => '/v1/auth/revoke',
      () => ({ headers: service.headers, body: new URLSearchParams({ token: other.token }) }),
    ],
    [
      'refresh-token-reused',
      nobody,
      'POST',
      () => '/v1/auth/refresh',
      () => ({ body: { refreshToken: other.refreshToken } }),
    ],
    [
      'password-changed',
      self,
      'PUT',
      () => '/v1/users/me/password',
      () => ({ token: person.token, body: { currentPassword: person.password, password: 'eight blue buckets' } }),
    ],
    [
      'session-ended',
      self,
      'DELETE',
      () => `/v1/auth/sessions?userId=${person.id}&except=current`,
      () => ({ token: person.token }),
    ],
    ['logged-out', self, 'POST', () => '/v1/auth/logout', () => ({ token: person.token })],
    [
      'user-changed',
      chief,
      'PATCH',
      () => `/v1/users/${person.id}`,
      () => byBoss({ email: `${person.userName}@example.org`, firstName: 'Ada' }),
    ],
    ['roles-changed', chief, 'PATCH', () => `/v1/users/${person.id}`, () => byBoss({ roles: ['user', 'admin'] })],
    ['user-deactivated', chief, 'PATCH', () => `/v1/users/${person.id}`, () => byBoss({ status: 'deactivated' })],
    ['user-activated', chief, 'PATCH', () => `/v1/users/${person.id}`, () => byBoss({ status: 'active' })],
    ['user-exported', chief, 'GET', () => `/v1/users/${person.id}/export`, () => byBoss()],
    ['user-deleted', chief, 'DELETE', () => `/v1/users/${erased.id}`, () => byBoss()],
    ['service-created', chief, 'POST', () => '/v1/services', () => byBoss({ name: 'short-lived', scopes: [] })],
    ['service-changed', chief, 'PATCH', () => '/v1/services/short-lived', () => byBoss({ scopes: ['users:read'] })],
    ['service-secret-rotated', chief, 'POST', () => '/v1/services/short-lived/secret', () => byBoss()],
    ['service-deleted', chief, 'DELETE', () => '/v1/services/short-lived', () => byBoss()],
  ];

  test('every event is recorded with its actor, its address and its request', async () => {
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: other.refreshToken } });
    const expected: object[] = [];
    for (const [event, caller, method, path, make] of steps) {
      const { headers, ...call } = make();
      const requestId = `step-${event}`;
      const sent = { ...headers, 'x-request-id': requestId, 'user-agent': 'audit-test/1' };
      const answer = await gatehouse.api.call(method, path(), { ...call, headers: sent });
      expect(answer.headers.get('x-request-id')).toBe(requestId);
      expected.push({ event, caller: caller(), requestId, ip: '127.0.0.1', userAgent: 'audit-test/1' });
      for (const name of ['secret', 'accessToken', 'refreshToken']) secrets.push(answer.body?.[name] ?? 'none of it');
    }
    secrets.push(refreshed.body.accessToken, refreshed.body.refreshToken, newcomer.password);
    const { body, text } = await read({ limit: '100' });
    const rows = body.items.filter(({ requestId }: any) => requestId?.startsWith('step-')).toReversed();
    expect(
      rows.map(({ event, caller, requestId, ip, userAgent }: any) => ({ event, caller, requestId, ip, userAgent })),
    ).toEqual(expected);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    // each row is one line of the log as well
    const lines = gatehouse.log.filter(
      ({ context, requestId }) => context === 'Audit' && String(requestId).startsWith('step-'),
    );
    expect(
      lines.map(({ event, caller, requestId, ip }) => ({ event, caller, requestId, ip, userAgent: 'audit-test/1' })),
    ).toEqual(expected);
  });

  test('each event names the user, service or session it is about', async () => {
    const about = Object.fromEntries((await itemsOf({ limit: '100' })).map((row) => [row.requestId, row]));
    for (const event of ['login-failed', 'password-changed', 'logged-out', 'roles-changed']) {
      expect(about[`step-${event}`].userId).toBe(person.id);
    }
    expect(about['step-user-changed']).toMatchObject({ userId: person.id, details: { fields: ['email'] } });
    expect(about['step-roles-changed'].details).toEqual({ roles: 'user admin', before: 'user' });
    // the id would tell when the user was made, and so lead to the
    // pseudonym; who knows it finds the row
    expect(about['step-user-deleted'].userId).not.toBe(erased.id);
    const proof = await itemsOf({ event: 'user-deleted', userId: erased.id });
    expect(proof.map(({ requestId }) => requestId)).toEqual(['step-user-deleted']);
    expect(about['step-token-revoked'].userId).toBe(other.id);
    expect(about['step-refresh-token-reused'].userId).toBe(other.id);
    expect(about['step-service-deleted']).toMatchObject({ userId: null, details: { service: 'short-lived' } });
  });

  test('the end of everything: each key that goes, the one that comes, and who ordered it', async () => {
    const headers = { 'x-request-id': 'the-end' };
    expect((await gatehouse.api.post('/v1/auth/revoke-all', { token: boss.token, headers })).status).toBe(204);
    boss = await signIn(gatehouse, admin);
    const rows = (await itemsOf({ limit: '5' })).filter(({ requestId }) => requestId === 'the-end');
    expect(rows).toHaveLength(3);
    expect(new Set(rows.map(({ event }) => event))).toEqual(new Set(['key-retired', 'key-created', 'all-revoked']));
    for (const row of rows) expect(row.caller).toBe(chief());
  });

  test('a failed login with an unknown user name is recorded without a user', async () => {
    const body = { userName: uniqueName('nobody'), password: 'seven green bottles' };
    const answer = await gatehouse.api.post('/v1/auth/login', { body });
    const [row] = await itemsOf({ event: 'login-failed', limit: '1' });
    expect(row).toMatchObject({ userId: null, requestId: answer.headers.get('x-request-id') });
  });
});

describe('reading it', () => {
  let events: any[];

  beforeAll(async () => {
    const { name } = await newService(gatehouse, { token: boss.token, scopes: [] });
    const change = (times: number) => ({ token: boss.token, body: { description: `Changed ${times} times` } });
    await Promise.all(Array.from({ length: 45 }, (_, at) => gatehouse.api.patch(`/v1/services/${name}`, change(at))));
    const rows = await itemsOf({ event: 'service-changed', limit: '100' });
    events = rows.filter(({ details }) => details.service === name);
  });

  test('is for administrators only', async () => {
    const person = await newPerson(gatehouse);
    const service = await newService(gatehouse, { token: boss.token, scopes: ['users:read', 'users:write'] });
    const callers: Call[] = [{ token: person.token }, { headers: service.headers }, {}];
    const answers = await Promise.all(callers.map((caller) => gatehouse.api.get('/v1/audit', caller)));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 401]);
  });

  test('goes page by page, newest first, each event once, by the cursor or the Link', async () => {
    const seen: any[] = [];
    const sizes: number[] = [];
    let path: string | undefined = '/v1/audit?event=service-changed&limit=20';
    while (path !== undefined) {
      const { body, headers }: Answer = await gatehouse.api.get(path, { token: boss.token });
      seen.push(...body.items);
      sizes.push(body.items.length);
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      expect(path === undefined).toBe(body.nextCursor === null);
      if (path !== undefined) expect(path).toContain(new URLSearchParams({ cursor: body.nextCursor }).toString());
    }
    // 45 here and one of the walk above
    expect(sizes).toEqual([20, 20, 6]);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(46);
    expect(seen.slice(0, 45)).toEqual(events);
    for (const [index, { at }] of seen.slice(1).entries()) expect(at <= seen[index].at).toBe(true);
  });

  test('finds by event, by user and by time', async () => {
    const logins = await itemsOf({ event: 'login-succeeded', userId: bossId });
    expect(logins.length).toBeGreaterThanOrEqual(2);
    for (const row of logins) expect(row).toMatchObject({ event: 'login-succeeded', userId: bossId });
    const { at } = events[20];
    const query = { event: 'service-changed', limit: '100' };
    const later = await itemsOf({ ...query, after: at });
    expect(later).toEqual(events.filter((row) => row.at > at));
    const earlier = await itemsOf({ ...query, before: at });
    expect(earlier.slice(0, -1)).toEqual(events.filter((row) => row.at < at));
    const offset = `${new Date(Date.parse(at) + 7_200_000).toISOString().slice(0, -1)}+02:00`;
    expect(await itemsOf({ ...query, after: offset })).toEqual(later);
    expect(await itemsOf({ userId: '01890000-0000-7000-8000-000000000000' })).toEqual([]);
  });

  const refused: [Record<string, string>, string][] = [
    [{ event: 'coffee-made' }, 'invalid-request'],
    [{ userId: 'me' }, 'invalid-request'],
    [{ after: 'yesterday' }, 'invalid-request'],
    [{ after: '0000-01-01T00:00:00Z' }, 'invalid-request'],
    [{ limit: '0' }, 'invalid-request'],
    [{ limit: '101' }, 'invalid-request'],
    [{ caller: 'operator' }, 'invalid-request'],
    [{ cursor: 'garbage' }, 'invalid-cursor'],
    [{ cursor: Buffer.from('[1e400,1]').toString('base64url') }, 'invalid-cursor'],
  ];
  test('a cursor of a page with other filters is refused', async () => {
    const { body } = await read({ limit: '1', event: 'user-created' });
    const answer = await read({ limit: '1', event: 'password-changed', cursor: body.nextCursor });
    expect([answer.status, answer.body.code]).toEqual([400, 'cursor-of-another-query']);
  });

  test.each(refused)('%o is refused', async (query, code) => {
    const answer = await read(query);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
  });
});
