import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { newPerson, signIn, signInAdmin } from '../support/people.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { newService, patchService, tokenOf } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { saidOf, startVerifierGroup, untilHeard, type VerifierGroup } from '../support/verifier-group.js';

let postgres: PostgresServer;
let address: Record<string, string>;
let gatehouse: Gatehouse;
let services: VerifierGroup;

const start = async (): Promise<void> => {
  gatehouse = await startGatehouse(address, {
    environment: { DATABASE_URL: databaseUrl() },
    drop: async () => undefined,
  });
};
const databaseUrl = (): string => postgres.url.replace(/\/postgres$/, '/gatehouse');

async function asAdmin(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

type Restore = { readonly keep: () => Promise<void>; readonly restore: () => Promise<void> };

const ways: Readonly<Record<string, Restore>> = {
  'a dump is restored': {
    keep: async () => {
      await gatehouse.stop();
      await asAdmin('create database dump template gatehouse');
      await start();
    },
    restore: async () => {
      await gatehouse.stop();
      await asAdmin('drop database gatehouse with (force)', 'create database gatehouse template dump');
      await start();
    },
  },
  'its disk is put back below a service that runs': {
    keep: () => postgres.keepDisk(),
    restore: () => postgres.putDiskBack(),
  },
  'a standby that lacks the tail takes over': {
    keep: () => postgres.keepDisk(),
    restore: async () => {
      await postgres.putDiskBack('standby');
      await asAdmin('select pg_promote()');
    },
  },
};

describe.each(Object.entries(ways))('when %s', (_, { keep, restore }) => {
  beforeAll(async () => {
    postgres = await startPostgres();
    await asAdmin('create database gatehouse');
    const port = String(await freePort());
    address = { PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`, SESSIONS_PER_USER: '1000' };
    await start();
    services = await startVerifierGroup(gatehouse);
  });
  afterAll(async () => {
    await services.close();
    await gatehouse.stop();
    await postgres.stop();
  });

  test('verifiers accept none of 100 tokens whose end the database has forgotten', async () => {
    const { token: alive } = await newPerson(gatehouse);
    const doomed = await oneHundred();
    const tokens = doomed.map(({ token }) => token);
    expect(await saidOfAll(tokens)).toEqual(new Set(['alive']));
    await keep();
    await untilReady();
    for (const { end } of doomed) await end();
    await untilHeard(gatehouse, services);
    expect(await saidOfAll(tokens)).toEqual(new Set(['dead']));
    const epochs = services.verifiers.map((verifier) => verifier.view().epoch);

    await restore();
    await untilReady();
    await untilHeard(gatehouse, services);
    expect(await saidOfAll(tokens)).toEqual(new Set(['dead']));
    expect(await saidOf(services, alive)).toBe('alive');
    // entries count as soon as they are heard, the epoch when all of them are
    for (const [at, verifier] of services.verifiers.entries()) {
      await expect.poll(() => verifier.view().epoch, { timeout: 30_000 }).not.toBe(epochs[at]);
    }
    // whoever starts now knows what the database knows
    const late = await startVerifierGroup(gatehouse);
    expect((await Promise.all(tokens.map((token) => saidOf(late, token)))).includes('alive')).toBe(true);
    await late.close();
  }, 120_000);
});

const saidOfAll = async (tokens: readonly string[]): Promise<Set<string>> =>
  new Set(await Promise.all(tokens.map((token) => saidOf(services, token))));

async function untilReady(): Promise<void> {
  await expect.poll(async () => (await gatehouse.api.get('/health/ready')).status, { timeout: 30_000 }).toBe(200);
}

type Doomed = { readonly token: string; readonly end: () => Promise<unknown> };

/** Tokens that are ended one by one, in four ways. */
async function oneHundred(): Promise<readonly Doomed[]> {
  const { token: bossToken } = await signInAdmin(gatehouse);
  const revoker = await newService(gatehouse, { token: bossToken, scopes: ['tokens:revoke'] });
  const person = await newPerson(gatehouse);
  const makers: readonly (() => Promise<Doomed>)[] = [
    async () => {
      const { token } = await signIn(gatehouse, person);
      const body = new URLSearchParams({ token });
      return { token, end: () => gatehouse.api.post('/v1/auth/revoke', { body, headers: revoker.headers }) };
    },
    async () => {
      const { token } = await signIn(gatehouse, person);
      return { token, end: () => gatehouse.api.post('/v1/auth/logout', { token }) };
    },
    async () => {
      const { token } = await newPerson(gatehouse);
      return { token, end: () => gatehouse.api.post('/v1/auth/logout-all', { token }) };
    },
    async () => {
      const service = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
      const token = await tokenOf(gatehouse, service);
      return {
        token,
        end: () => patchService(gatehouse, { token: bossToken, name: service.name, status: 'deactivated' }),
      };
    },
  ];
  const doomed: Doomed[] = [];
  for (let round = 0; round < 25; round++) {
    for (const make of makers) doomed.push(await make());
  }
  return doomed;
}
