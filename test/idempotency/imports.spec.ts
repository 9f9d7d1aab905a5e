import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { Sql, Sweeper } from '#libs/platform/database';

import { type Imported, importRow, importUsers, toNdjson } from '../support/imports.js';
import { signInAdmin } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const send = (key: string, body: string, call = {}): Promise<Imported> =>
  importUsers(gatehouse, body, { token, headers: { 'idempotency-key': key }, ...call });
const outcome = ({ answer }: Imported): unknown[] => [answer.status, answer.body.code];
const replayed = ({ answer }: Imported): string | null => answer.headers.get('idempotency-replayed');
const sql = (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);
const rows = (count = 3): string => toNdjson(Array.from({ length: count }, () => importRow()));
const started = async (): Promise<number> =>
  (await sql("select 1 from audit_events where event = 'users-import-started'")).length;

const held = () => sql('select 1 from idempotency_keys where answer is null');

/** Sends rows and leaves the body open. */
async function sendPart(key: string, part: string, signal?: AbortSignal): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from(part)) });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-ndjson',
    'idempotency-key': key,
  };
  const init = { method: 'POST', headers, body, duplex: 'half', signal: signal ?? null } as const;
  const answer = await fetch(`${gatehouse.url}/v1/users/import`, init);
  expect(answer.status).toBe(200);
  return answer;
}

describe('a retry of an import with the same bytes', () => {
  test('gets the same lines, and nothing is imported anew', async () => {
    const [key, body] = [randomUUID(), `${rows(2_500)}nonsense\n`];
    const first = await send(key, body);
    const before = await started();
    const again = await send(key, body);
    expect(first.summary).toMatchObject({ done: true, created: 2_500, refused: 1 });
    expect([replayed(first), replayed(again)]).toEqual([null, 'true']);
    expect(again.answer.text).toBe(first.answer.text);
    expect(await started()).toBe(before);
  });

  test('that arrives at once imports once', async () => {
    const [key, body, before] = [randomUUID(), rows(), await started()];
    const both = await Promise.all([send(key, body), send(key, body)]);
    expect(both[0]?.answer.text).toBe(both[1]?.answer.text);
    expect(both.filter((one) => replayed(one) === 'true')).toHaveLength(1);
    expect(await started()).toBe(before + 1);
  });

  test('after a day is a new import', async () => {
    const [key, body] = [randomUUID(), rows()];
    await send(key, body);
    await sql(`update idempotency_keys set created_at = now() - interval '25 hours'`);
    expect((await send(key, body)).summary).toMatchObject({ created: 0, exists: 3 });
    await sql(`update idempotency_keys set created_at = now() - interval '25 hours'`);
    await gatehouse.app.get(Sweeper).sweepNow();
    expect(await sql('select 1 from idempotency_keys')).toEqual([]);
  });
});

describe('a key of an import', () => {
  test('with other bytes, another type or another query is refused, and what it stood for stays', async () => {
    const [key, body] = [randomUUID(), rows()];
    const first = await send(key, body);
    for (const other of [
      await send(key, rows()),
      await send(key, `${body}\n`),
      await send(key, body, { type: 'text/csv' }),
      await send(key, body, { query: '?report=refused' }),
    ]) {
      expect(outcome(other)).toEqual([422, 'idempotency-key-reused']);
    }
    expect((await send(key, body)).answer.text).toBe(first.answer.text);
  });

  test('of one caller says nothing to another', async () => {
    const [key, body] = [randomUUID(), rows()];
    const { headers } = await newService(gatehouse, { token, scopes: ['users:write'] });
    await send(key, body);
    const byService = await send(key, body, { token: undefined, headers: { 'idempotency-key': key, ...headers } });
    expect([replayed(byService), byService.summary.exists]).toEqual([null, 3]);
  });

  test('of an import that was stopped is free: the retry says of each row what there is', async () => {
    const key = randomUUID();
    const header = 'userName,firstName,lastName\n';
    const lines = Array.from({ length: 6_000 }, () => `${String(importRow()['userName'])},Ada,Lovelace\n`);
    const broken = `${header}${lines.join('')}"${'x'.repeat(40_000)}`;
    const first = await send(key, broken, { type: 'text/csv' });
    expect(first.summary).toMatchObject({ done: false, stopped: { code: 'malformed-csv' } });
    const { created } = first.summary;
    expect(created).toBeGreaterThan(0);
    const again = await send(key, header + lines.join(''), { type: 'text/csv' });
    expect(replayed(again)).toBe(null);
    expect(again.summary).toMatchObject({ done: true, created: 6_000 - created, exists: created });
  });

  test('of a client that hung up half way is free', async () => {
    const [key, all] = [randomUUID(), Array.from({ length: 4_000 }, () => importRow())];
    const leaving = new AbortController();
    const answer = await sendPart(key, toNdjson(all.slice(0, 3_000)), leaving.signal);
    leaving.abort();
    await expect(answer.text()).rejects.toThrow();
    await expect.poll(held, { timeout: 15_000 }).toEqual([]);
    const again = await send(key, toNdjson(all));
    expect([replayed(again), again.summary.done, again.summary.rows]).toEqual([null, true, 4_000]);
    expect(again.summary.exists).toBeGreaterThan(0);
    expect((await send(key, toNdjson(all))).answer.text).toBe(again.answer.text);
  });

  test('that somebody else has taken over stops the import', async () => {
    const answer = await sendPart(randomUUID(), rows(3_000));
    // what a process finds that stood still for longer than its claim lasts
    await sql('update idempotency_keys set attempt = $1 where answer is null', [randomUUID()]);
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ done: false, stopped: { code: 'idempotency-key-in-use' } });
    expect(await held()).toHaveLength(1);
    await sql('delete from idempotency_keys where answer is null');
  });
});
