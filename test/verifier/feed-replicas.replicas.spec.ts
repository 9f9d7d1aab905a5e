import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { knows, openWatchedFeed, waiting } from '../support/feeds.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { claimsOf } from '../support/roles.js';
import { newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let database: OwnDatabase;
let replicas: readonly Gatehouse[];
let serviceKey: string;
let person: Person;

beforeAll(async () => {
  database = await copyDatabase();
  const start = (): Promise<Gatehouse> => startGatehouse({ SESSIONS_PER_USER: '1000' }, database);
  const first = await start();
  replicas = [first, await start()];
  const { token } = await signInAdmin(first);
  const { headers } = await newService(first, { token, scopes: ['revocations:read', 'tokens:revoke'] });
  serviceKey = headers['x-service-key'];
  person = await newPerson(first);
});
afterAll(async () => {
  // connections that were cut before they carried a request would hold it for half a minute
  for (const { app } of replicas) app.getHttpServer().closeAllConnections();
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database.drop();
});

const anyReplica = (): Gatehouse => {
  const replica = replicas[Math.floor(Math.random() * replicas.length)];
  if (!replica) throw new Error('two replicas run');
  return replica;
};

/** Ends one token of a session through whichever replica. @returns its `jti` */
async function revokeOne(): Promise<string> {
  const gatehouse = anyReplica();
  const { token } = await signIn(gatehouse, person);
  const headers = { 'x-service-key': serviceKey };
  const answer = await gatehouse.api.post('/v1/auth/revoke', { body: new URLSearchParams({ token }), headers });
  expect(answer.status, answer.text).toBe(200);
  return claimsOf(token).jti;
}

test('while its connections are cut again and again and go to whichever replica, a feed misses nothing', async () => {
  let way = new AbortController();
  const cut = (): void => {
    way.abort(new TypeError('cut'));
    way = new AbortController();
  };
  const anyWay: typeof fetch = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const signal = AbortSignal.any([way.signal, ...(init?.signal ? [init.signal] : [])]);
    return fetch(anyReplica().url + pathname + search, { ...init, signal });
  };
  const feed = openWatchedFeed('http://any.replica', { serviceKey, fetch: anyWay });
  await feed.ready();

  const ended: string[] = [];
  const over = new AbortController();
  const cutting = (async () => {
    for (; !over.signal.aborted; await sleep(Math.random() * 100)) cut();
  })();
  for (let round = 0; round < 40; round++) ended.push(...(await Promise.all(Array.from({ length: 5 }, revokeOne))));
  over.abort();
  await cutting;
  await expect.poll(() => ended.filter((jti) => !knows(feed, jti)), waiting).toEqual([]);
  expect(feed.failures.length).toBeGreaterThan(0);
  expect(feed.resets()).toBe(0);
}, 60_000);
