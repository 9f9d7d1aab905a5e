import { randomUUID } from 'node:crypto';

import { beforeAll, expect, test } from 'vitest';

import { LinkTokens } from '#libs/messages';
import { MasterKey } from '#libs/platform/crypto';
import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: string;
let token: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
  token = (await newPerson(gatehouse)).token;
});

const text = 'meet me at the lighthouse';
const create = (key: string, body: Record<string, unknown> = {}, call = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/messages', {
    token,
    body: { body: text, ...body },
    headers: { 'idempotency-key': key },
    ...call,
  });
const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const pathOf = ({ body }: Answer): string => `/v1/messages/${String(body.url).split('#')[1]}`;
const sql = (statement: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
  gatehouse.app.get(Sql).rows({ text: statement }, values);
const countMessages = async (): Promise<number> => (await sql('select 1 from messages')).length;

test('a retry gets the same URL, and there is one message at it', async () => {
  const before = await countMessages();
  const key = randomUUID();
  const [first, again] = [await create(key, { maxReads: 1 }), await create(key, { maxReads: 1 })];
  expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  expect(again.body).toEqual(first.body);
  expect(await countMessages()).toBe(before + 1);
  expect((await gatehouse.api.post(`${pathOf(again)}/reveal`)).body.body).toBe(text);
  expect((await gatehouse.api.post(`${pathOf(first)}/reveal`)).status).toBe(404);
});

test('ten at once make one message', async () => {
  const [before, key] = [await countMessages(), randomUUID()];
  const answers = await Promise.all(Array.from({ length: 10 }, () => create(key)));
  expect(new Set(answers.map(({ status, text: answer }) => `${status} ${answer}`)).size).toBe(1);
  expect(await countMessages()).toBe(before + 1);
});

test('another body under the same key is refused, and so is no other caller', async () => {
  const key = randomUUID();
  const first = await create(key);
  expect(outcome(await create(key, { maxReads: 1 }))).toEqual([422, 'idempotency-key-reused']);
  const { headers } = await newService(gatehouse, { token: boss, scopes: ['messages:write'] });
  const byService = await create(
    key,
    { maxReads: 1 },
    { token: undefined, headers: { 'idempotency-key': key, ...headers } },
  );
  expect(byService.status).toBe(201);
  expect(byService.body.id).not.toBe(first.body.id);
});

test('a refused message leaves its key free', async () => {
  const key = randomUUID();
  expect(outcome(await create(key, { recipientId: randomUUID() }))).toEqual([400, 'invalid-request']);
  expect((await create(key)).status).toBe(201);
});

test('no room leaves neither a message nor a kept answer', async () => {
  const small = await startGatehouse({ MESSAGE_LIMIT_USER_COUNT: '1' });
  const sender = await newPerson(small);
  const send = (key: string): Promise<Answer> =>
    small.api.post('/v1/messages', { token: sender.token, body: { body: text }, headers: { 'idempotency-key': key } });
  const [key, kept] = [randomUUID(), randomUUID()];
  const first = await send(kept);
  expect(outcome(await send(key))).toEqual([429, 'too-many-messages']);
  expect((await send(kept)).body).toEqual(first.body);
  await small.api.delete(`/v1/messages/${first.body.id}`, { token: sender.token });
  expect((await send(key)).status).toBe(201);
  await small.stop();
});

test('an attempt that lost its key to another one makes no message', async () => {
  const [before, key] = [await countMessages(), randomUUID()];
  // as if the process had stood still after its claim for longer than a claim lasts
  await sql(`create function take_over() returns trigger language plpgsql as $$
    begin new.attempt := gen_random_uuid(); return new; end $$`);
  await sql('create trigger take_over before insert on idempotency_keys for each row execute function take_over()');
  try {
    expect(outcome(await create(key))).toEqual([409, 'idempotency-key-in-use']);
  } finally {
    await sql('drop trigger take_over on idempotency_keys');
  }
  expect(await countMessages()).toBe(before);
});

test('the kept answer opens neither with the database nor with the keys of the service beside it', async () => {
  const key = '1';
  const { body } = await create(key);
  const [row] = await sql('select answer, fingerprint from idempotency_keys order by created_at desc limit 1');
  const answer = Buffer.from(row?.['answer'] as Uint8Array);
  const secret = String(body.url).split('#')[1] ?? '';
  const stored = JSON.stringify(await sql('select encode(answer, $1) as a from idempotency_keys', ['escape']));
  expect(stored).not.toContain(secret);
  for (const own of [gatehouse.app.get(MasterKey), gatehouse.app.get(LinkTokens).key]) {
    expect(() => own.open(answer, 'idempotency-answer')).toThrow();
    // the client's key can be guessed here: the body is what is still missing
    const names = [JSON.stringify(['nobody', 'POST', '/v1/messages', key])];
    const [me] = await sql('select sender from messages where id = $1', [body.id]);
    names.push(JSON.stringify([me?.['sender'], 'POST', '/v1/messages', key]));
    for (const name of names) {
      const guessed = new MasterKey(own.mac('idempotency-answer', name));
      expect(() => guessed.open(answer, 'idempotency-answer')).toThrow();
    }
  }
});

test('erasing the sender takes the kept answers along', async () => {
  const sender = await newPerson(gatehouse);
  await create(randomUUID(), {}, { token: sender.token });
  await gatehouse.api.delete(`/v1/users/${sender.id}`, { token: boss });
  expect(await sql('select 1 from idempotency_keys where subject = $1', [sender.id])).toEqual([]);
});
