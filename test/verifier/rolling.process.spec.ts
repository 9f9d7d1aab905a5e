import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { createVerifier, type Verifier } from '#verifier';

import { type Api, createApi } from '../support/api.js';
import { type Balancer, startBalancer } from '../support/balancer.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { admin, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { runCli } from '../support/run-cli.js';
import { newService } from '../support/services.js';
import { type Process, spawnGatehouse } from '../support/spawn-gatehouse.js';
import type { Gatehouse } from '../support/start-gatehouse.js';
import { verdictOf } from '../support/verifier-group.js';

type Replica = Process & { readonly api: Api };

let own: OwnDatabase;
let balancer: Balancer;
let replicas: readonly Replica[] = [];
let person: Person;
let verifiers: readonly Verifier[];

const environment = (): Record<string, string> => ({
  ...own.environment,
  PUBLIC_URL: balancer.url,
  ADMIN_PASSWORD: admin.password,
  SESSIONS_PER_USER: '1000',
});

async function startReplica(): Promise<Replica> {
  const replica = await spawnGatehouse(environment());
  return { ...replica, api: await createApi(replica.url) };
}

/** New connections go to these from now on. */
function put(...running: readonly Replica[]): void {
  replicas = running;
  balancer.sendTo(...running.map(({ url }) => Number(new URL(url).port)));
}

const one = (): Gatehouse => ({ ...replicas[0] }) as unknown as Gatehouse;

beforeAll(async () => {
  own = await copyDatabase();
  balancer = await startBalancer();
  put(await startReplica());
  put(...replicas, await startReplica());
  const { token } = await signInAdmin(one());
  const scopes = ['revocations:read', 'tokens:introspect'];
  const { headers } = await newService(one(), { token, scopes });
  person = await newPerson(one());
  const options = { issuer: balancer.url, audience: balancer.url, serviceKey: headers['x-service-key'] };
  verifiers = [createVerifier(options), createVerifier(options)];
  await Promise.all(verifiers.map((verifier) => verifier.ready()));
}, 60_000);
afterAll(async () => {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  for (const { kill, ended } of replicas) {
    kill('SIGKILL');
    await ended;
  }
  balancer.stop();
  await own.drop();
});

const good = new Set<string>();
const over = new Set<string>();
const met = { verified: 0, falseRefusals: [] as string[], wrongAcceptances: 0, isOver: false };

/** Checks one token after another, as requests come in. */
async function drive(verifier: Verifier): Promise<void> {
  while (!met.isOver) {
    for (const token of [...good, ...over]) {
      const verdict = await verdictOf(verifier, token);
      met.verified++;
      if (verdict !== 'accepted' && good.has(token)) met.falseRefusals.push(verdict);
      if (verdict === 'accepted' && over.has(token)) met.wrongAcceptances++;
    }
    await sleep(1);
  }
}

async function addTokens(count: number): Promise<void> {
  for (let added = 0; added < count; added++) good.add((await signIn(one(), person)).token);
}

const isAcceptedByAny = async (token: string): Promise<boolean> =>
  (await Promise.all(verifiers.map((verifier) => verdictOf(verifier, token)))).includes('accepted');

/** From when all verifiers have refused a token, none may accept it again. */
async function end(tokens: readonly string[], cause: () => Promise<unknown>): Promise<void> {
  for (const token of tokens) good.delete(token);
  await cause();
  for (const token of tokens) {
    await expect.poll(() => isAcceptedByAny(token), { timeout: 20_000, interval: 5 }).toBe(false);
    over.add(token);
  }
}

async function endOne(): Promise<void> {
  const [token = ''] = good;
  await end([token], () => one().api.post('/v1/auth/logout', { token }));
}

async function replace(old: Replica): Promise<void> {
  const fresh = await startReplica();
  put(fresh, ...replicas.filter((replica) => replica !== old));
  old.kill('SIGTERM');
  await old.ended;
  await endOne();
}

const keyIds = async ({ api }: Replica): Promise<string[]> =>
  (await api.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
const keys = async (...parameters: readonly string[]): Promise<void> => {
  const { code, out, err } = await runCli(environment(), 'keys', ...parameters);
  expect(code, out + err).toBe(0);
};

/** A key that signs at once, published by each replica before it is used. */
async function rotateKeys(): Promise<string> {
  const [old = ''] = await keyIds(replicas[0] as Replica);
  await keys('rotate', '--now');
  for (const replica of replicas) await expect.poll(() => keyIds(replica), { timeout: 10_000 }).toHaveLength(2);
  return old;
}

test('replicas are replaced, killed, their keys rotated and retired: no good token is refused, and no dead one accepted', async () => {
  await addTokens(20);
  const traffic = Promise.all(verifiers.map(drive));
  for (const replica of replicas) await replace(replica);
  const oldTokens = [...good];
  const oldKey = await rotateKeys();
  await addTokens(10);
  await end(oldTokens, () => keys('retire', oldKey));
  for (const replica of replicas) await replace(replica);
  const [killed, left] = replicas;
  if (!killed || !left) throw new Error('two replicas run');
  put(left);
  killed.kill('SIGKILL');
  await killed.ended;
  await endOne();
  put(left, await startReplica());
  await endOne();
  await expect.poll(() => met.verified, { timeout: 60_000 }).toBeGreaterThan(100_000);
  met.isOver = true;
  await traffic;
  expect(met).toMatchObject({ falseRefusals: [], wrongAcceptances: 0 });
  expect([good.size > 0, over.size > 20]).toEqual([true, true]);
}, 180_000);
