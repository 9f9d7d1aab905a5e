import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { newPerson, registration, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
});

const create = (key: string, body: unknown, headers = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/users', { body, headers: { 'idempotency-key': key, ...headers } });
const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const sql = (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);

describe('a retry with the same key and body', () => {
  test('gets the first answer, its headers and a note that it is a replay', async () => {
    const [key, body] = [randomUUID(), registration()];
    const [first, again] = [await create(key, body), await create(key, body)];
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    for (const name of ['location', 'etag']) expect(again.headers.get(name)).toBe(first.headers.get(name));
  });

  test('gets the first answer even if the user has changed since', async () => {
    const [key, body] = [randomUUID(), registration()];
    const first = await create(key, body);
    await gatehouse.api.patch(`/v1/users/${first.body.id}`, { token: boss, body: { firstName: 'Changed' } });
    expect((await create(key, body)).body).toEqual(first.body);
  });

  test('is the same in whatever order the members come, and with the key in quotes', async () => {
    const [key, body] = [randomUUID(), registration()];
    const first = await create(key, body);
    const reordered = Object.fromEntries(Object.entries(body).toReversed());
    expect((await create(`"${key}"`, reordered)).body).toEqual(first.body);
  });

  test('that arrives at once makes one user', async () => {
    const [key, body] = [randomUUID(), registration()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(9);
    expect(await sql('select 1 from audit_events where user_id = $1', [answers[0]?.body.id])).toHaveLength(1);
  });

  test('after a day is a new request', async () => {
    const [key, body] = [randomUUID(), registration()];
    await create(key, body);
    await sql(`update idempotency_keys set created_at = now() - interval '25 hours'`);
    expect(outcome(await create(key, body))).toEqual([409, 'user-name-taken']);
    expect((await create(key, registration())).status).toBe(201);
  });

  test('after a replica died over the first attempt is worked on', async () => {
    const [key, body] = [randomUUID(), registration()];
    const first = await create(key, body);
    // what a killed process leaves: a claim without an answer, and no user
    await sql('update idempotency_keys set answer = null, leased_until = now() where subject = $1', [first.body.id]);
    await sql('delete from users where id = $1', [first.body.id]);
    const again = await create(key, body);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(again.body.id).not.toBe(first.body.id);
  });
});

describe('a key', () => {
  test('with another body is refused, and what it stood for stays', async () => {
    const [key, body] = [randomUUID(), registration()];
    const first = await create(key, body);
    expect(outcome(await create(key, { ...body, password: 'another good one' }))).toEqual([
      422,
      'idempotency-key-reused',
    ]);
    expect((await create(key, body)).body).toEqual(first.body);
  });

  test('of a request that was refused is free again', async () => {
    const [key, taken] = [randomUUID(), await newPerson(gatehouse)];
    const body = registration({ userName: taken.userName });
    expect(outcome(await create(key, body))).toEqual([409, 'user-name-taken']);
    expect(outcome(await create(key, { ...body, userName: '' }))).toEqual([400, 'invalid-request']);
    expect((await create(key, { ...body, userName: uniqueName() })).status).toBe(201);
  });

  test('of one caller says nothing to another', async () => {
    const [key, body] = [randomUUID(), registration()];
    const service = await newService(gatehouse, { token: boss, scopes: ['users:write'] });
    const [byNobody, byService] = [await create(key, body), await create(key, registration(), service.headers)];
    expect([byNobody.status, byService.status]).toEqual([201, 201]);
    expect(byService.body.id).not.toBe(byNobody.body.id);
  });

  test.for(['', ' ', 'two words', 'ümlaut', 'x'.repeat(256), '""'])('%j is refused', async (key) => {
    expect(outcome(await create(key, registration()))).toEqual([400, 'invalid-idempotency-key']);
  });

  test('leaves nothing in the database to read or to guess from', async () => {
    const [key, body] = [randomUUID(), registration()];
    await create(key, body);
    const kept = JSON.stringify(await sql('select * from idempotency_keys'));
    for (const secret of [key, String(body['userName']), String(body['password'])]) {
      expect(kept).not.toContain(secret);
      expect(kept).not.toContain(Buffer.from(secret).toString('hex'));
    }
  });

  test('is forgotten with the user that it made', async () => {
    const key = randomUUID();
    const { body } = await create(key, registration());
    await gatehouse.api.delete(`/v1/users/${body.id}`, { token: boss });
    expect(await sql('select 1 from idempotency_keys where subject = $1', [body.id])).toEqual([]);
  });
});
