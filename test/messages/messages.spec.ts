import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { newMessage } from '../support/messages.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let [sender, reader]: Person[] = [];
let bossToken: string;
let [writing, reading, other]: Service[] = [];

beforeAll(async () => {
  [sender, reader] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  bossToken = (await signInAdmin(gatehouse)).token;
  const service = (...scopes: string[]) => newService(gatehouse, { token: bossToken, scopes });
  writing = await service('messages:write');
  reading = await service('messages:read');
  other = await service('users:read');
});

const token = (): string => sender?.token ?? '';
const send = (fields: Record<string, unknown> = {}) => newMessage(gatehouse, { token: token(), ...fields });
const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const codeOf = ({ status, body }: { status: number; body: any }) => [status, body.code];
const missing = [404, 'message-not-found'];

describe('a message', () => {
  test('is at a page whose fragment nobody can guess, for 7 days', async () => {
    const { status, body } = await gatehouse.api.post('/v1/messages', { token: token(), body: { body: 'hello' } });
    expect(status).toBe(201);
    expect(body.url).toMatch(/^http:\/\/gatehouse\.test\/m#[\w-]{43}$/);
    const days = (Date.parse(body.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.99);
    expect(days).toBeLessThanOrEqual(7);
    expect(Object.keys(body).toSorted()).toEqual(['expiresAt', 'id', 'url']);
  });

  test('with unlimited reads is answered to whoever has its URL, again and again', async () => {
    const { path, id } = await send({ body: 'for all' });
    for (let time = 0; time < 2; time++) {
      const { status, body } = await gatehouse.api.get(path);
      expect([status, body.id, body.body, body.readsLeft]).toEqual([200, id, 'for all', null]);
    }
    expect((await gatehouse.api.post(`${path}/reveal`)).body).toMatchObject({ body: 'for all', readsLeft: null });
  });

  test('with limited reads tells only what it is, until it is revealed, and is gone after the last read', async () => {
    const { path } = await send({ body: 'twice', maxReads: 2 });
    expect((await gatehouse.api.get(path)).body).toMatchObject({ body: null, maxReads: 2, readsLeft: 2 });
    expect((await gatehouse.api.post(`${path}/reveal`)).body).toMatchObject({ body: 'twice', readsLeft: 1 });
    expect((await gatehouse.api.get(path)).body).toMatchObject({ body: null, readsLeft: 1 });
    expect((await gatehouse.api.post(`${path}/reveal`)).body).toMatchObject({ body: 'twice', readsLeft: 0 });
    expect(codeOf(await gatehouse.api.get(path))).toEqual(missing);
    expect(codeOf(await gatehouse.api.post(`${path}/reveal`))).toEqual(missing);
  });

  test('leaves neither body nor key behind when it is used up', async () => {
    const { path, id } = await send({ maxReads: 1 });
    await gatehouse.api.post(`${path}/reveal`);
    expect(await sql('select body, sealed_key, size from messages where id = ?', [id])).toEqual([
      { body: null, sealed_key: null, size: 0 },
    ]);
  });

  test('is over when its time is, before anybody sweeps', async () => {
    const [{ path, id }, once] = [await send(), await send({ maxReads: 1 })];
    // in the row as in its seal: the clock of the database decides
    await sql(`update messages set expires_at = now() - interval '1 millisecond' where id in (?, ?)`, [id, once.id]);
    expect(codeOf(await gatehouse.api.get(path))).toEqual(missing);
    expect(codeOf(await gatehouse.api.post(`${once.path}/reveal`))).toEqual(missing);
    expect(codeOf(await gatehouse.api.delete(path))).toEqual(missing);
  });

  test('is not opened when its row was changed', async () => {
    const changes = [`expires_at = expires_at + interval '1 day'`, 'max_reads = 7', 'recipient_id = null', 'body = ?'];
    for (const change of changes) {
      const { path, id } = await send({ maxReads: 3, recipientId: reader?.id });
      const { body } = (await sql('select body from messages where id <> ? and body is not null limit 1', [id]))[0];
      await sql(`update messages set ${change} where id = ?`, change.includes('?') ? [Buffer.from(body), id] : [id]);
      const answer = await gatehouse.api.post(`${path}/reveal`, { token: reader?.token });
      expect(codeOf(answer), change).toEqual(missing);
    }
    expect(gatehouse.log.filter(({ context, level }) => context === 'Messages' && level === 'error')).toHaveLength(4);
  });

  test('is plain text that nothing runs, where that is asked for', async () => {
    const body = '<script>alert(1)</script>';
    const { path } = await send({ body });
    const asks: [string, boolean][] = [
      ['text/plain', true],
      ['text/plain, */*', true],
      ['text/plain;q=0.9, application/json;q=0.5', true],
      ['application/json, text/plain, */*', false],
      ['text/plain;q=0, application/json', false],
      ['text/html', false],
      ['*/*', false],
    ];
    for (const [accept, isText] of asks) {
      for (const answer of [
        await gatehouse.api.get(path, { headers: { accept } }),
        await gatehouse.api.post(`${path}/reveal`, { headers: { accept } }),
      ]) {
        const type = isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
        expect(answer.headers.get('content-type'), accept).toBe(type);
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(answer.headers.get('vary')).toBe('accept');
        expect(isText ? answer.text : answer.body.body).toBe(body);
      }
    }
  });

  test.for([
    ['no body', {}],
    ['an empty body', { body: '' }],
    ['a body that is no text', { body: 7 }],
    ['too short a life', { expiresIn: 299 }],
    ['too long a life', { expiresIn: 2_592_001 }],
    ['no read', { maxReads: 0 }],
    ['too many reads', { maxReads: 101 }],
    ['half a read', { maxReads: 1.5 }],
    ['an unknown field', { title: 'x' }],
    ['a recipient that is no id', { recipientId: 'ada' }],
  ] as const)('with %s is refused', async ([name, fields]) => {
    const body = name === 'no body' ? {} : { body: 'x', ...fields };
    expect(codeOf(await gatehouse.api.post('/v1/messages', { token: token(), body }))).toEqual([
      400,
      'invalid-request',
    ]);
  });

  test('for a user that is not there is refused', async () => {
    const body = { body: 'x', recipientId: '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e' };
    const answer = await gatehouse.api.post('/v1/messages', { token: token(), body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([expect.objectContaining({ path: 'recipientId', code: 'unknown-user' })]);
  });
});

describe('a message for one user', () => {
  test('opens for that user alone, and the others do not learn that it is there', async () => {
    const { path } = await send({ body: 'only you', recipientId: reader?.id, maxReads: 1 });
    const strangers = [{}, { token: token() }, { token: bossToken }, { headers: reading?.headers ?? {} }];
    const unknown = await gatehouse.api.get(`/v1/messages/${'A'.repeat(43)}`);
    for (const stranger of strangers) {
      for (const answer of [
        await gatehouse.api.get(path, stranger),
        await gatehouse.api.post(`${path}/reveal`, stranger),
      ]) {
        expect(codeOf(answer)).toEqual(missing);
        const { requestId, instance } = answer.body;
        expect(answer.body).toEqual({ ...unknown.body, requestId, instance });
      }
    }
    expect((await gatehouse.api.get(path, { token: reader?.token })).body).toMatchObject({ body: null, readsLeft: 1 });
    const revealed = await gatehouse.api.post(`${path}/reveal`, { token: reader?.token });
    expect(revealed.body.body).toBe('only you');
  });

  test('opens for a service that brings the token of that user', async () => {
    const { path } = await send({ recipientId: reader?.id });
    const { status } = await gatehouse.api.get(path, { token: reader?.token, headers: other?.headers ?? {} });
    expect(status).toBe(200);
  });

  test('stays closed to a token of that user that is dead', async () => {
    const gone = await newPerson(gatehouse);
    const { path } = await send({ recipientId: gone.id });
    await gatehouse.api.post('/v1/auth/logout', { token: gone.token });
    expect((await gatehouse.api.get(path, { token: gone.token })).status).toBe(401);
  });
});

describe('a service', () => {
  test('with messages:write sends', async () => {
    const { path } = await newMessage(gatehouse, { headers: writing?.headers ?? {}, body: 'from a service' });
    expect((await gatehouse.api.get(path)).body.body).toBe('from a service');
    const { body } = await gatehouse.api.get('/v1/messages', { headers: writing?.headers ?? {} });
    expect(body.items).toHaveLength(1);
  });

  test('without the scope does neither send nor read', async () => {
    const { path } = await send();
    const headers = other?.headers ?? {};
    const body = { body: 'x' };
    expect((await gatehouse.api.post('/v1/messages', { headers, body })).status).toBe(403);
    for (const at of [path, `/v1/messages/${'A'.repeat(43)}`]) {
      expect((await gatehouse.api.get(at, { headers })).status).toBe(403);
      expect((await gatehouse.api.post(`${at}/reveal`, { headers })).status).toBe(403);
      expect((await gatehouse.api.delete(at, { headers })).status).toBe(403);
    }
  });

  test('with messages:read reads what is for everybody', async () => {
    const { path } = await send({ body: 'for all' });
    expect((await gatehouse.api.get(path, { headers: reading?.headers ?? {} })).body.body).toBe('for all');
  });
});

describe('deleting', () => {
  test('whoever has the URL may', async () => {
    const { path } = await send();
    expect((await gatehouse.api.delete(path)).status).toBe(204);
    expect(codeOf(await gatehouse.api.get(path))).toEqual(missing);
    expect(codeOf(await gatehouse.api.delete(path))).toEqual(missing);
  });

  test('the sender may by URL and by id, even if it is for somebody else; strangers may not', async () => {
    const [byUrl, byId] = [await send({ recipientId: reader?.id }), await send({ recipientId: reader?.id })];
    for (const stranger of [{}, { token: bossToken }]) {
      expect(codeOf(await gatehouse.api.delete(byUrl.path, stranger))).toEqual(missing);
      expect(codeOf(await gatehouse.api.delete(`/v1/messages/${byId.id}`, stranger))).toEqual(missing);
    }
    expect(codeOf(await gatehouse.api.delete(`/v1/messages/${byId.id}`, { token: reader?.token }))).toEqual(missing);
    expect((await gatehouse.api.delete(byUrl.path, { token: token() })).status).toBe(204);
    expect((await gatehouse.api.delete(`/v1/messages/${byId.id}`, { token: token() })).status).toBe(204);
    expect(codeOf(await gatehouse.api.get(byId.path, { token: reader?.token }))).toEqual(missing);
  });
});
