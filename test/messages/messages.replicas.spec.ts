import { randomBytes } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { SealedKeysRepository } from '#libs/platform/sealed-keys';
import { Sweeper } from '#libs/platform/database';
import { MetricSources } from '#libs/platform/monitoring';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newMessage, type Sent } from '../support/messages.js';
import { newPerson, type Person } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const limits = { MESSAGE_LIMIT_USER_COUNT: '10' };
let own: OwnDatabase;
let replicas: readonly Gatehouse[] = [];
let person: Person;

beforeAll(async () => {
  own = await copyDatabase();
  // as while the master key changes: one replica has been restarted with
  // the new one, the other has not
  replicas = [
    await startGatehouse({ ...limits, MASTER_KEY: oldKey }, own),
    await startGatehouse({ ...limits, MASTER_KEY: newKey, MASTER_KEY_PREVIOUS: oldKey }, own),
  ];
  person = await newPerson(at(0));
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await own.drop();
});

function at(index: number): Gatehouse {
  const replica = replicas[index % replicas.length];
  if (!replica) throw new Error('not started');
  return replica;
}

/**
 * Lets requests pile up behind a row that is locked, so that they run
 * against each other when it is let go.
 */
async function atOnce<T>(row: { table: string; id: string }, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: own.environment['DATABASE_URL'] });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select from ${row.table} where id = $1 for update`, [row.id]);
    const working = work();
    const waiting = `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await client.query(waiting)).rows[0].n, { timeout: 15_000 }).toBeGreaterThan(3);
    await client.query('commit');
    return await working;
  } finally {
    await client.end();
  }
}

const reveals = (count: number, { path }: Sent) =>
  Promise.all(Array.from({ length: count }, (_, index) => at(index).api.post(`${path}/reveal`)));

test.each([1, 3])(
  'of 200 reveals at once over both replicas, as many get the body as there are reads: %i',
  async (maxReads) => {
    const message = await newMessage(at(0), { token: person.token, body: 'raced for', maxReads });
    const answers = await atOnce({ table: 'messages', id: message.id }, () => reveals(200, message));
    const won = answers.filter(({ status }) => status === 200);
    expect(won.map(({ body }) => body.body)).toEqual(Array.from({ length: maxReads }, () => 'raced for'));
    expect(won.map(({ body }) => body.readsLeft).toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: maxReads }, (_, left) => left),
    );
    expect(answers.filter(({ body }) => body.code === 'message-not-found')).toHaveLength(200 - maxReads);
  },
);

test('of 60 messages at once over both replicas a sender gets as many as may be open', async () => {
  const sender = await newPerson(at(0));
  const body = { body: 'x' };
  const create = (index: number) => at(index).api.post('/v1/messages', { token: sender.token, body });
  // the foreign key waits for the sender's row, when the cap has been looked at already
  const answers = await atOnce({ table: 'users', id: sender.id }, () =>
    Promise.all(Array.from({ length: 60 }, (_, index) => create(index))),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(50);
});

test('replicas with the old and the new master key open each other’s messages, before and after keys are sealed anew', async () => {
  const rounds = async (): Promise<void> => {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { path } = await newMessage(at(from), { token: person.token, body: 'across', maxReads: 1 });
      expect((await at(to).api.post(`${path}/reveal`)).body.body).toBe('across');
    }
  };
  await rounds();
  expect(await at(1).app.get(SealedKeysRepository).reseal()).toBeGreaterThan(0);
  await rounds();
});

test('expired rows are swept by both replicas at once, and the lag tells how far behind they are', async () => {
  const em = at(0).app.get(SqlEntityManager).fork();
  await em.execute(
    `insert into messages (id, token_hash, sender, size, created_at, expires_at)
      select gen_random_uuid(), sha256(n::text::bytea), 'service:gone', 1, now(), now() - interval '90 seconds'
      from generate_series(1, 12000) n`,
  );
  const metric = at(0)
    .app.get(MetricSources)
    .all.find(({ name }) => name === 'message_sweep_lag_seconds');
  const lag = async (): Promise<unknown> => metric?.read();
  expect(await lag()).toBeGreaterThanOrEqual(90);
  const swept = await Promise.all([0, 1].map((index) => at(index).app.get(Sweeper).sweepNow()));
  const total = swept.reduce((sum, { messages = 0 }) => sum + messages, 0);
  const [row] = await em.execute<{ left: number }[]>(
    `select count(*)::int as left from messages where sender = 'service:gone'`,
  );
  // one may leave to the other what the other is removing at that moment
  expect([total, row?.left]).toEqual([12_000, 0]);
  expect(await lag()).toBe(0);
});
