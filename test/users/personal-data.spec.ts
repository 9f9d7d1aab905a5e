import { once } from 'node:events';

import { erasedIdOf } from '#libs/security/audit';
import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { admin, newPerson, type Person, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { openSocket, request } from '../support/raw-http.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
});

const rows = <Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  gatehouse.app.get(Sql).rows<Row>({ text }, values);

const browserOf = ({ userName }: { userName: string }): Record<string, string> => ({
  'user-agent': `Browser of ${userName}`,
});

/** Somebody with a little of all that can be kept about a user. */
async function somebodyBusy(): Promise<Person> {
  const email = `${uniqueName()}@example.org`;
  const person = await newPerson(gatehouse, { firstName: uniqueName('Erasmus'), email });
  const headers = browserOf(person);
  const login = { userName: person.userName, password: 'not the password' };
  await gatehouse.api.post('/v1/auth/login', { body: login, headers });
  await gatehouse.api.post('/v1/auth/login', { body: { ...login, password: person.password }, headers });
  await gatehouse.api.get('/v1/users/me/export', { token: person.token, headers });
  return { ...person, ...(await signIn(gatehouse, person)) };
}

/** In which columns of which tables a text stands. */
async function whereIs(needle: string): Promise<string[]> {
  const columns = await rows<{ t: string; c: string }>(
    `select table_name as t, column_name as c from information_schema.columns where table_schema = 'public'`,
  );
  const found = await Promise.all(
    columns.map(async ({ t, c }) => {
      const [hit] = await rows(`select 1 from "${t}" where position($1 in "${c}"::text) > 0 limit 1`, [needle]);
      return hit ? [`${t}.${c}`] : [];
    }),
  );
  return found.flat().toSorted();
}

describe('an export', () => {
  test('of a user with very many sessions has all of them, and unread ones leave room for others', async () => {
    const person = await somebodyBusy();
    await rows(
      `insert into sessions (id, user_id, generation, current_hash, user_agent, ip, client_id)
        select gen_random_uuid(), user_id, generation, current_hash, repeat('x', 6000), ip, client_id
        from sessions, generate_series(1, 3000) where id = $1`,
      [person.sessionId],
    );
    const { body } = await gatehouse.api.get('/v1/users/me/export', { token: person.token });
    expect(new Set(body.sessions.map(({ id }: any) => id)).size).toBeGreaterThan(3_000);
    const sockets = await Promise.all([1, 2].map(() => openSocket(gatehouse.url)));
    for (const socket of sockets) {
      socket.write(request('GET /v1/users/me/export', { headers: [`Authorization: Bearer ${person.token}`] }));
    }
    // both have begun, and nobody reads on
    await Promise.all(sockets.map((socket) => once(socket, 'readable')));
    const third = (): Promise<unknown> =>
      gatehouse.api.get('/v1/users/me/export', { token: person.token }).then((answer) => answer.status);
    await expect.poll(third, { timeout: 15_000 }).toBe(503);
    const other = await newPerson(gatehouse);
    expect((await gatehouse.api.get('/v1/users/me/export', { token: other.token })).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(third, { timeout: 15_000 }).toBe(200);
  });

  test('holds the user, the sessions, the failed logins and the security events, without secrets', async () => {
    const person = await somebodyBusy();
    const { status, body, text, headers } = await gatehouse.api.get('/v1/users/me/export', { token: person.token });
    expect([status, headers.get('content-disposition')]).toEqual([
      200,
      `attachment; filename="user-${person.id}.json"`,
    ]);
    expect(body.user).toEqual((await gatehouse.api.get('/v1/users/me', { token: person.token })).body);
    expect(body.sessions).toHaveLength(3);
    // that of strangers to the account, which no success forgets
    expect(body.failedLogins).toEqual([expect.objectContaining({ failures: 1 })]);
    expect(body.auditEvents.map((row: { event: string }) => row.event)).toEqual([
      'user-exported',
      'login-succeeded',
      'user-exported',
      'login-succeeded',
      'login-failed',
      'login-succeeded',
      'user-created',
    ]);
    expect(text).not.toMatch(/hash|argon2|generation/i);
  });

  test('of another user is for administrators', async () => {
    const [ada, eve] = [await newPerson(gatehouse), await newPerson(gatehouse)];
    expect((await gatehouse.api.get(`/v1/users/${ada.id}/export`, { token: eve.token })).status).toBe(403);
    expect((await gatehouse.api.get(`/v1/users/${ada.id}/export`, { token: boss })).body.user.id).toBe(ada.id);
  });

  test('of a user that does not exist is 404, and records nothing', async () => {
    const id = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
    expect((await gatehouse.api.get(`/v1/users/${id}/export`, { token: boss })).body.code).toBe('user-not-found');
    expect(await rows('select 1 from audit_events where user_id = $1', [id])).toEqual([]);
  });
});

describe('an erased user', () => {
  test('is in no table any more, but for the record of the erasure and the end of its tokens', async () => {
    const person = await somebodyBusy();
    const headers = browserOf(person);
    const { email, firstName } = (await gatehouse.api.get('/v1/users/me', { token: person.token })).body;
    expect(await whereIs(person.userName)).toEqual([
      'audit_events.user_agent',
      'sessions.user_agent',
      'users.search_text',
      'users.user_name',
      'users.user_name_key',
    ]);
    // whoever sends a request id chooses its text
    const requestId = `mail-${person.userName}-example.org`;
    const body = { firstName: `${firstName} Maria` };
    const named = { ...headers, 'x-request-id': requestId };
    await gatehouse.api.patch('/v1/users/me', { token: person.token, headers: named, body });
    expect(await whereIs(requestId)).toEqual(['audit_events.request_id']);
    expect((await gatehouse.api.delete('/v1/users/me', { token: person.token, headers })).status).toBe(204);
    // the id tells to the millisecond when its user was made, and so would lead from the proof to
    // the pseudonym
    expect(await whereIs(person.id)).toEqual(['revocations.subject']);
    for (const trace of [person.userName, email, firstName, headers['user-agent'], person.sessionId, requestId]) {
      expect(await whereIs(trace), trace).toEqual([]);
    }
    expect(
      await rows('select event, ip, user_agent from audit_events where user_id = $1', [erasedIdOf(person.id)]),
    ).toEqual([{ event: 'user-deleted', ip: null, user_agent: null }]);
  });

  test('leaves its security events under one pseudonym', async () => {
    const person = await somebodyBusy();
    const ids = (await rows('select id from audit_events where user_id = $1', [person.id])).map(({ id }) => id);
    await gatehouse.api.delete(`/v1/users/${person.id}`, { token: boss });
    const left = await rows('select user_id, ip from audit_events where id = any ($1::uuid[])', [ids]);
    expect(left).toHaveLength(ids.length);
    expect(new Set(left.map(({ user_id }) => user_id)).size).toBe(1);
    expect(new Set(left.map(({ ip }) => ip))).toEqual(new Set([null]));
  });

  test('who was an administrator leaves what others were changed by, without address', async () => {
    const [chief, person] = [await newPerson(gatehouse), await newPerson(gatehouse)];
    await gatehouse.api.patch(`/v1/users/${chief.id}`, { token: boss, body: { roles: ['admin'] } });
    const { token } = await signIn(gatehouse, chief);
    await gatehouse.api.patch(`/v1/users/${person.id}`, { token, body: { status: 'deactivated' } });
    const change = `select caller, ip, user_agent from audit_events where user_id = $1 and event = 'user-deactivated'`;
    expect(await rows(change, [person.id])).toMatchObject([{ caller: `user:${chief.id}`, ip: '127.0.0.1' }]);
    await gatehouse.api.delete(`/v1/users/${chief.id}`, { token: boss });
    const [{ caller, ip, user_agent: agent } = {}] = await rows(change, [person.id]);
    expect([ip, agent]).toEqual([null, null]);
    expect(caller).toMatch(/^user:[0-9a-f-]{36}$/);
    expect(caller).not.toContain(chief.id);
  });

  test("an administrator's own address stays in the events about the erased user", async () => {
    const person = await newPerson(gatehouse);
    await gatehouse.api.patch(`/v1/users/${person.id}`, { token: boss, body: { status: 'deactivated' } });
    const [row] = await rows(`select id from audit_events where user_id = $1 and event = 'user-deactivated'`, [
      person.id,
    ]);
    await gatehouse.api.delete(`/v1/users/${person.id}`, { token: boss });
    expect(await rows('select ip from audit_events where id = $1', [row?.['id']])).toEqual([{ ip: '127.0.0.1' }]);
    expect((await signIn(gatehouse, admin)).token).toBeTruthy();
  });
});

test('every reference to a user in the schema is somebody’s to export and to erase', async () => {
  // ended trust is needed until the last token has expired, and says no more than an id
  const needed = ['revocations.subject'];
  const columns = await rows<{ name: string }>(
    `select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = 'public' and table_name <> 'users'
        and (data_type in ('uuid', 'text', 'ARRAY', 'jsonb') or data_type like 'char%')
        and column_name ~ '(user|subject|person|owner|sender|recipient|author|actor|caller|created_by)'
        and column_name <> 'user_agent'
      union
      select conrelid::regclass || '.' || attname from pg_constraint
        join pg_attribute on attrelid = conrelid and attnum = any (conkey)
        where contype = 'f' and confrelid = 'users'::regclass`,
  );
  const covered = gatehouse.app.get(PersonalData).sources.flatMap(({ references }) => references);
  expect(columns.map(({ name }) => name).toSorted()).toEqual([...covered, ...needed].toSorted());
});
