/**
 * The database of Gatehouse is put back to an earlier state, by a dump or by a failover that lost
 * its tail: whether verifiers forget with it. See README.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedAccounts, signIn } from './lib/accounts.ts';
import { call } from './lib/call.ts';
import { type Cluster, createCluster } from './lib/cluster.ts';
import type { Database } from './lib/database.ts';
import { type Doomed, doomers, forgetAdmin, freshAdmin, type Ground } from './lib/doomed.ts';
import { type FeedWay, openFeedWay } from './lib/feed-way.ts';
import { readOptions } from './lib/options.ts';
import { type Server, startReplica } from './lib/replica.ts';
import { createService, createVerifyingService } from './lib/services.ts';
import { note, printTable } from './lib/table.ts';
import { openSwitch } from './lib/tcp-switch.ts';
import { untilReady } from './lib/trust.ts';
import { type Run, startVerifier, type VerifierProcess } from './lib/verifiers.ts';

type Hearing = 'by streams' | 'by polling';
type Subject = { readonly hearing: Hearing; readonly verifier: VerifierProcess };

/** Two of each, one at each replica. */
const hearings: readonly Hearing[] = ['by streams', 'by polling'];
const name = 'gatehouse';
const heardWithinMs = 10_000;
/** So long after the database is back it is looked whether anything comes back to life. */
const watchedMs = 10_000;
const everyMs = 50;

const options = readOptions({ revocations: 100, later: 10 });
const { revocations, later } = options.numbers;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-restore-'));
const urlFile = join(folder, 'database-url');
let cluster = await createCluster();
const clusters: Cluster[] = [cluster];
await cluster.sql(`create role gatehouse login password 'first'`);
await cluster.sql(`create database ${name} owner gatehouse`);
const gate = await openSwitch(cluster.port);
writeFileSync(urlFile, `postgres://gatehouse:first@127.0.0.1:${gate.port}/${name}`);
/** Preparations and looks go to the cluster of the moment, past the gate. */
const database: Database = {
  url: '',
  query: (text, values) => cluster.sql(text, name, values),
  pinBackends: () => Promise.resolve(),
  drop: () => Promise.resolve(),
};
let servers: readonly [Server, Server] = [await start(), await start()];
const ways: readonly FeedWay[] = await Promise.all(servers.map(({ port }) => openFeedWay(port)));
const subjects: Subject[] = [];
const failures: string[] = [];
try {
  await run();
} finally {
  await Promise.all(subjects.map(({ verifier }) => verifier.stop()));
  await Promise.allSettled(servers.map((server) => server.stop()));
  for (const way of ways) way.close();
  gate.close();
  for (const one of clusters) await one.remove();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'as promised' : `MISSED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function start(): Promise<Server> {
  const env = { DATABASE_URL: '', DATABASE_URL_FILE: urlFile };
  return startReplica(options, { databaseUrl: '', cpu: `${options.serverCpu},${options.loadCpu}`, env });
}

async function run(): Promise<void> {
  const admin = await freshAdmin(servers[0]);
  const by = await createService(servers[0], admin, 'bench-revoker', {});
  const serviceKey = await createVerifyingService(servers[0], admin, 'bench-orders');
  for (const hearing of hearings) {
    for (const { url } of ways) {
      const without = hearing === 'by polling' ? ({ without: 'streams' } as const) : {};
      subjects.push({ hearing, verifier: startVerifier(options.app, serviceKey, { url, ...without }) });
    }
  }
  await Promise.all(subjects.map(({ verifier }) => verifier.ask('ready', {})));
  const ground = (): Ground => ({ server: servers[0], database, by });
  const rows = [
    ...(await suffer('restored from a dump', ground, restore, serviceKey)),
    ...(await suffer('failover with a lost tail', ground, failOver, serviceKey)),
  ];
  printTable(`${revocations} tokens revoked and heard of, then the database is put back to before that`, rows);
  console.log('targets: 0 of them accepted, good tokens good, revocations after that heard within 1 s');
}

/** What is lost begins with `lose`; @returns what puts the database back to that moment */
type Loss = () => Promise<() => Promise<void>>;

/** All replicas are new ones: nobody but the verifiers remembers. */
async function restore(): Promise<() => Promise<void>> {
  const younger = await createCluster();
  clusters.push(younger);
  await younger.sql(`create role gatehouse login password 'first'`);
  cluster.copyDatabaseTo(younger, name, 'gatehouse');
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
    moveTo(younger);
    servers = [await start(), await start()];
    for (const [at, way] of ways.entries()) way.moveTo(servers[at === 0 ? 0 : 1].port);
  };
}

/** The first replica runs on and remembers, the second is a new one. */
async function failOver(): Promise<() => Promise<void>> {
  const standby = await cluster.standby();
  clusters.push(standby);
  await standby.detach();
  return async () => {
    await cluster.kill();
    await standby.promote();
    moveTo(standby);
    await servers[1].stop();
    await untilReady([servers[0]]);
    servers = [servers[0], await start()];
    ways[1]?.moveTo(servers[1].port);
  };
}

function moveTo(next: Cluster): void {
  cluster = next;
  gate.moveTo(next.port);
  forgetAdmin();
}

async function suffer(event: string, ground: () => Ground, lose: Loss, serviceKey: string) {
  const good = await signInSome();
  const doomed = await doom(ground(), revocations);
  const tokens = doomed.map(({ token }) => token);
  await insist(good.concat(tokens), 'good');
  const putBack = await lose();
  for (const one of doomed) await one.end(servers[0]);
  await insist(tokens, 'revoked');
  note(`${event}: ${tokens.length} heard of`);
  await Promise.all(subjects.map(({ verifier }) => verifier.ask('track', { tokens, everyMs })));
  const before = await Promise.all(subjects.map(({ verifier }) => verifier.ask('view', {})));
  await putBack();
  await untilReady(servers);
  await sleep(watchedMs);
  const forgotten = await countActive(servers[1], tokens, serviceKey);
  const next = await doom(ground(), later);
  await insist([...good, ...next.map(({ token }) => token)], 'good');
  for (const one of next) await one.end(servers[0]);
  await sleep(1_000);
  const rows = [];
  for (const [at, { hearing, verifier }] of subjects.entries()) {
    const runs = (await verifier.ask('untrack', { tokens })).flat();
    const accepted = runs.filter(isAccept).length;
    const outcomes = await verifier.ask('judge', { tokens: next.map(({ token }) => token) });
    const missed = outcomes.filter((outcome) => outcome !== 'revoked').length;
    const refusedGood = (await verifier.ask('judge', { tokens: good })).filter((outcome) => outcome !== 'good').length;
    const view = await verifier.ask('view', {});
    const isNewEpoch = view.epoch !== before[at]?.epoch;
    for (const [what, many] of Object.entries({
      accepted,
      missed,
      refusedGood,
      'in the old epoch': isNewEpoch ? 0 : 1,
    })) {
      if (many > 0) failures.push(`${event}, ${hearing}: ${many} ${what}`);
    }
    rows.push({
      event,
      verifier: `${hearing}, replica ${(at % 2) + 1}`,
      accepted: `${accepted} of ${tokens.length}`,
      judgements: runs.reduce((sum, { count }) => sum + count, 0),
      'active again at Gatehouse': forgotten,
      'good refused': refusedGood,
      'later ones missed': missed,
      'new epoch': isNewEpoch ? 'yes' : 'NO',
    });
  }
  return rows;
}

function isAccept({ outcome }: Run): boolean {
  return outcome === 'good' || outcome === 'stale, accepted';
}

/** So many of all kinds, one kind after the other. */
async function doom(ground: Ground, count: number): Promise<readonly Doomed[]> {
  const all: Doomed[] = [];
  const each = Math.ceil(count / Object.keys(doomers).length);
  for (const one of Object.values(doomers)) all.push(...(await one(ground, each)));
  return all;
}

async function signInSome(): Promise<readonly string[]> {
  const accounts = (await seedAccounts(servers[0], database, 5)).slice(0, 5);
  return (await signIn(servers[0].port, accounts)).map(({ accessToken }) => accessToken);
}

/** @throws when a verifier does not come to judge all of them so */
async function insist(tokens: readonly string[], wanted: string): Promise<void> {
  const until = performance.now() + heardWithinMs;
  for (const { hearing, verifier } of subjects) {
    for (;;) {
      const outcomes = await verifier.ask('judge', { tokens });
      if (outcomes.every((outcome) => outcome === wanted)) break;
      if (performance.now() > until) throw new Error(`${hearing}: not ${wanted}: ${[...new Set(outcomes)].join(', ')}`);
      await sleep(everyMs);
    }
  }
}

/** How many of them Gatehouse itself takes for good: what it has forgotten. */
async function countActive(server: Server, tokens: readonly string[], key: string): Promise<number> {
  let count = 0;
  for (const token of tokens) {
    const request = { method: 'POST', key, body: new URLSearchParams({ token }) };
    const { active } = await call(server, '/v1/auth/introspect', request);
    if (active === true) count++;
  }
  return count;
}
