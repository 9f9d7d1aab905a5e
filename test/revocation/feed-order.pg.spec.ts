import { randomUUID } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { feedPath, walkFeed } from '../support/feed.js';
import { signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { recordStatements } from '../support/statements.js';

const metricsToken = 'a-token-for-the-scraper';
let own: OwnDatabase;
let gatehouse: Gatehouse;
let reader: Service;
const writers: pg.Client[] = [];

beforeAll(async () => {
  own = await copyDatabase();
  gatehouse = await startGatehouse({ METRICS_TOKEN: metricsToken }, own);
  const { token } = await signInAdmin(gatehouse);
  reader = await newService(gatehouse, { token, scopes: ['revocations:read'] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(writers.splice(0).map((writer) => writer.end()));
});
afterAll(async () => {
  await gatehouse.stop();
  await own.drop();
});

const insert = `insert into revocations (kind, subject, cause, expires_at)
  values ('token', $1, 'logout', now() + interval '10 minutes')`;

/** A transaction of somebody else that has written, and has not ended. */
async function openWriter(): Promise<pg.Client> {
  const writer = new pg.Client({ connectionString: own.environment['DATABASE_URL'] });
  await writer.connect();
  writers.push(writer);
  await writer.query('begin');
  await writer.query('select pg_current_xact_id()');
  return writer;
}

async function put(writer: pg.Client): Promise<string> {
  const id = randomUUID();
  await writer.query(insert, [id]);
  return id;
}

async function putAndCommit(): Promise<string> {
  const writer = await openWriter();
  const id = await put(writer);
  await writer.query('commit');
  return id;
}

const since = async (cursor: string): Promise<{ cursor: string; told: readonly string[] }> => {
  const walk = await walkFeed(gatehouse, reader, { cursor });
  return { cursor: walk.cursor, told: walk.items.map(({ subject }) => subject) };
};
const freshCursor = async (): Promise<string> => (await since((await walkFeed(gatehouse, reader)).cursor)).cursor;

async function readMetric(name: string): Promise<number> {
  const headers = { authorization: `Bearer ${metricsToken}` };
  const text = await (await fetch(`${gatehouse.url}/metrics`, { headers })).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`gatehouse_${name} `))
      ?.split(' ')[1] ?? Number.NaN,
  );
}

// first, since nobody has begun before them
describe('receivers that begin together', () => {
  const subjects = Array.from({ length: 2_500 }, () => randomUUID());
  beforeAll(async () => {
    await gatehouse.app
      .get(SqlEntityManager)
      .fork()
      .execute(
        `insert into revocations (kind, subject, cause, expires_at)
          select 'session', id, 'logout', now() + interval '10 minutes' from unnest(?::uuid[]) as id`,
        [`{${subjects.join()}}`],
      );
  });

  test('cost the database one walk', async () => {
    const statements = await recordStatements(gatehouse);
    const walks = await Promise.all(Array.from({ length: 20 }, () => walkFeed(gatehouse, reader, { limit: 500 })));
    for (const { items } of walks) {
      const told = new Set(items.map(({ subject }) => subject));
      expect(subjects.filter((id) => !told.has(id))).toEqual([]);
    }
    const reads = statements.filter((text) => text.includes('from revocations'));
    // five pages for all, and the last one of each, which is never from memory
    const pages = walks[0]?.pages.length ?? 0;
    expect(reads.length).toBeGreaterThanOrEqual(6);
    expect(reads.length).toBeLessThanOrEqual(5 + 20 * (pages - 5));
  });

  test('and for a page that many ask for at the same time one read', async () => {
    const query = feedPath({ limit: 503 });
    const statements = await recordStatements(gatehouse);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => gatehouse.api.get(query, { headers: reader.headers })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(statements.filter((text) => text.includes('from revocations'))).toHaveLength(1);
  });

  test('and those that come a moment later take it from memory, with the same bytes', async () => {
    const page = async (): Promise<string> =>
      (await gatehouse.api.get(feedPath({ limit: 501 }), { headers: reader.headers })).text;
    const first = await page();
    await putAndCommit();
    const statements = await recordStatements(gatehouse);
    expect(await page()).toBe(first);
    expect(statements.filter((text) => text.includes('from revocations'))).toEqual([]);
  });

  test('what was kept for them is forgotten', async () => {
    await gatehouse.api.get(feedPath({ limit: 1_000 }), { headers: reader.headers });
    expect(await readMetric('revocation_feed_snapshot_bytes')).toBeGreaterThan(1_000 * 36);
    await expect.poll(() => readMetric('revocation_feed_snapshot_bytes'), { timeout: 25_000 }).toBe(0);
  });
});

test('a writer that commits late with a lower id is told from a cursor that was given before', async () => {
  const late = await openWriter();
  const lower = await put(late);
  const higher = await putAndCommit();
  const first = await since(await freshCursor());
  expect(first.told).toContain(higher);
  expect(first.told).not.toContain(lower);
  await late.query('commit');
  expect((await since(first.cursor)).told).toContain(lower);
});

describe('an idle writer holds the horizon', () => {
  test('what is committed meanwhile is told again until it ends, and then no more', async () => {
    const idle = await openWriter();
    const ids = [await putAndCommit(), await putAndCommit()];
    let cursor = await freshCursor();
    for (let round = 0; round < 3; round++) {
      ids.push(await putAndCommit());
      const next = await since(cursor);
      expect(next.told).toEqual(expect.arrayContaining(ids));
      cursor = next.cursor;
    }
    await idle.query('rollback');
    // writers in other databases of the cluster, if there are any, end too
    await expect
      .poll(
        async () => {
          const next = await since(cursor);
          cursor = next.cursor;
          return next.told;
        },
        { timeout: 20_000 },
      )
      .toEqual([]);
    const last = await putAndCommit();
    expect((await since(cursor)).told).toContain(last);
  });

  test('its age is a metric while it lasts', async () => {
    const idle = await openWriter();
    await expect.poll(() => readMetric('revocation_feed_horizon_age_seconds'), { timeout: 20_000 }).toBeGreaterThan(1);
    await idle.query('rollback');
    await expect.poll(() => readMetric('revocation_feed_horizon_age_seconds'), { timeout: 20_000 }).toBeLessThan(1);
  });
});
