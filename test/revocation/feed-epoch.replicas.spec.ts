import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { feedPath, toldOf, walkFeed } from '../support/feed.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let reader: Service;

const newReader = async (gatehouse: Gatehouse): Promise<Service> => {
  const { token } = await signInAdmin(gatehouse);
  return newService(gatehouse, { token, scopes: ['revocations:read'] });
};
const logOut = async (gatehouse: Gatehouse): Promise<string> => {
  const { token, sessionId } = await newPerson(gatehouse);
  expect((await gatehouse.api.post('/v1/auth/logout', { token })).status).toBe(204);
  return sessionId;
};
const statusOf = async (gatehouse: Gatehouse, query: Record<string, string>): Promise<[number, string | undefined]> => {
  const { status, body } = await gatehouse.api.get(feedPath(query), { headers: reader.headers });
  return [status, body.code];
};
const reset = [409, 'feed-reset'];
/** Connections come back by themselves; until then it is 503. */
async function untilReset(gatehouse: Gatehouse, cursor: string): Promise<void> {
  await expect.poll(() => statusOf(gatehouse, { cursor }), { timeout: 30_000 }).toEqual(reset);
}

function started(replica: Gatehouse | undefined): Gatehouse {
  if (!replica) throw new Error('not started');
  return replica;
}

describe('two replicas', () => {
  let own: OwnDatabase;
  let [here, there]: Gatehouse[] = [];
  let client: pg.Client;
  const one = (): Gatehouse => started(here);
  const other = (): Gatehouse => started(there);

  beforeAll(async () => {
    own = await copyDatabase();
    const url = new URL(own.environment['DATABASE_URL'] ?? '');
    client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(`create function public.pg_snapshot_xmin(pg_snapshot) returns xid8 language sql
      return pg_catalog.pg_snapshot_xmin($1)`);
    // so that the function of that name is ours
    url.search = `options=${encodeURIComponent('-c search_path=public,pg_catalog')}`;
    here = await startGatehouse({ DATABASE_URL: url.href }, own);
    there = await startGatehouse({ DATABASE_URL: url.href }, own);
    reader = await newReader(here);
  });
  afterAll(async () => {
    await here?.stop();
    await there?.stop();
    await client.end();
    await own.drop();
  });

  test("have one epoch, and take each other's cursors and pages", async () => {
    const first = await walkFeed(one(), reader);
    const ended = [await logOut(one()), await logOut(other())];
    const { body } = await one().api.get(feedPath({ limit: 1 }), { headers: reader.headers });
    expect((await statusOf(other(), { page: body.nextPage }))[0]).toBe(200);
    const since = await walkFeed(other(), reader, { cursor: first.cursor });
    expect(since.epoch).toBe(first.epoch);
    for (const id of ended) expect(toldOf(since, id)).toHaveLength(1);
  });

  test.for<[string, (by: Gatehouse) => Promise<unknown>]>([
    ['the command `keys revoke-all`', ({ app }) => app.get(KeyRotationService).revokeAll('operator')],
    [
      'POST /v1/auth/revoke-all',
      async (gatehouse) => {
        const { token } = await signInAdmin(gatehouse);
        expect((await gatehouse.api.post('/v1/auth/revoke-all', { token })).status).toBe(204);
      },
    ],
  ])('begin anew after %s, on both at once', async ([, revokeAll]) => {
    const { epoch, cursor } = await walkFeed(one(), reader);
    const { body } = await one().api.get(feedPath({ limit: 1 }), { headers: reader.headers });
    await revokeAll(one());
    for (const replica of [one(), other()]) expect(await statusOf(replica, { cursor })).toEqual(reset);
    expect(await statusOf(other(), { page: body.nextPage })).toEqual(reset);
    const [anew, alike] = [await walkFeed(one(), reader), await walkFeed(other(), reader)];
    expect(anew.epoch).not.toBe(epoch);
    expect(alike.epoch).toBe(anew.epoch);
    expect(anew.items.map(({ cause }) => cause)).toContain('all-revoked');
  });

  test('begin anew once when the transactions went back, however many find it at once', async () => {
    const cursors = [await walkFeed(one(), reader), await walkFeed(other(), reader)].map(({ cursor }) => cursor);
    // nothing else is another: as if the machine of the server was set back with all its memory
    await client.query('alter function public.pg_snapshot_xmin(pg_snapshot) rename to count_of_now');
    await client.query(`create function public.pg_snapshot_xmin(pg_snapshot) returns xid8 language sql
      return (public.count_of_now($1)::text::bigint - 100)::text::xid8`);
    await client.query('create table renewals (value uuid)');
    await client.query(`create function note_renewal() returns trigger language plpgsql as
      'begin insert into renewals values (new.value); return null; end'`);
    await client.query('create trigger note after update on feed_epoch for each row execute function note_renewal()');
    // both have found it before either can write
    await client.query('begin; lock table feed_epoch in exclusive mode');
    const answers = Promise.all([one(), other()].map((replica) => statusOf(replica, { cursor: cursors[0] ?? '' })));
    await expect.poll(countWaiting, { timeout: 20_000, interval: 5 }).toBe(2);
    await client.query('commit');
    expect(await answers).toEqual([reset, reset]);
    for (const replica of [one(), other()]) {
      for (const cursor of cursors) expect(await statusOf(replica, { cursor })).toEqual(reset);
    }
    const found = await Promise.all([one(), other()].map((replica) => walkFeed(replica, reader)));
    expect(new Set(found.map(({ epoch }) => epoch)).size).toBe(1);
    expect((await client.query('select * from renewals')).rowCount).toBe(1);
    // from here on cursors are good
    const ended = await logOut(one());
    expect(toldOf(await walkFeed(other(), reader, { cursor: found[0]?.cursor ?? '' }), ended)).toHaveLength(1);
  });

  const countWaiting = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_locks where relation = 'feed_epoch'::regclass and not granted`,
    );
    return rows[0]?.count ?? 0;
  };
});

describe('a server', () => {
  let server: PostgresServer;
  let folder: OwnDatabase;
  let gatehouse: Gatehouse;
  let admin: pg.Client;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const urlOf = (user: string): string => {
    const url = new URL(server.url);
    [url.username, url.pathname] = [user, 'gatehouse'];
    return url.href;
  };

  beforeAll(async () => {
    server = await startPostgres();
    admin = await connect();
    // neither may ask for the cluster, as with some providers
    await admin.query('create role plain login');
    await admin.query('create database gatehouse owner plain');
    await admin.query('revoke execute on function pg_control_system() from public');
    folder = await copyDatabase();
    gatehouse = await startGatehouse({ DATABASE_URL: urlOf('plain') }, folder);
    reader = await newReader(gatehouse);
  });
  afterAll(async () => {
    await gatehouse.stop();
    await admin.end();
    await folder.drop();
    await server.stop();
  });

  test('that does not tell its cluster tells an epoch, which stays', async () => {
    const { epoch, cursor } = await walkFeed(gatehouse, reader);
    const ended = await logOut(gatehouse);
    const since = await walkFeed(gatehouse, reader, { cursor });
    expect(since.epoch).toBe(epoch);
    expect(toldOf(since, ended)).toHaveLength(1);
  });

  test('that was started again begins anew: its files may be others', async () => {
    const { cursor } = await walkFeed(gatehouse, reader);
    await admin.end();
    await server.restart();
    admin = await connect();
    await untilReset(gatehouse, cursor);
  });

  test('that recovered from a crash of one of its processes begins anew: it may give transaction ids again', async () => {
    const { cursor } = await walkFeed(gatehouse, reader);
    const { rows } = await admin.query<{ pid: number }>('select pg_backend_pid() as pid');
    process.kill(rows[0]?.pid ?? Number.NaN, 'SIGKILL');
    await untilReset(gatehouse, cursor);
    await expect
      .poll(
        async () => {
          admin = await connect();
          return admin.query('select 1').then(({ rowCount }) => rowCount);
        },
        { timeout: 30_000 },
      )
      .toBe(1);
  });

  test('on which a copy was put in the place of the database begins anew, and tells what the copy knows', async () => {
    const kept = await logOut(gatehouse);
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gatehouse'`);
    const { cursor } = await walkFeedWhenBack();
    const copy = async (): Promise<void> => {
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname like 'gatehouse%'`);
      await admin.query('alter database gatehouse rename to gatehouse_old');
      await admin.query('create database gatehouse template gatehouse_old owner plain');
    };
    await expect
      .poll(
        () =>
          copy().then(
            () => true,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
    await untilReset(gatehouse, cursor);
    expect(toldOf(await walkFeed(gatehouse, reader), kept)).toHaveLength(1);
  });

  /** The pool finds its lost connections one by one. */
  async function walkFeedWhenBack(): Promise<{ cursor: string }> {
    await expect.poll(async () => (await statusOf(gatehouse, {}))[0], { timeout: 30_000 }).toBe(200);
    return walkFeed(gatehouse, reader);
  }
});
