import { randomBytes } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { SharedSettingsService } from '#libs/auth';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isAccepted, newPerson } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const MASTER_KEY = randomBytes(32).toString('base64');
const production = { NODE_ENV: 'production', MASTER_KEY };

let own: OwnDatabase;
let first: Gatehouse;

beforeAll(async () => {
  own = await copyDatabase();
  first = await startGatehouse({ ...production, PUBLIC_URL: 'https://a.example' }, own);
});
afterAll(async () => {
  await first?.stop();
  await own.drop();
});

const startWith = (environment: Record<string, string>): Promise<Gatehouse> =>
  startGatehouse({ MASTER_KEY, ...environment }, own);

test('a replica with the same settings starts, and each takes the tokens of the other', async () => {
  const second = await startWith({ ...production, PUBLIC_URL: 'https://a.example' });
  const { token } = await newPerson(first);
  expect(await isAccepted(second, token)).toBe(true);
  await second.stop();
});

test.each([
  ['PUBLIC_URL', { PUBLIC_URL: 'https://b.example' }, /ISSUER is https:\/\/b\.example here and https:\/\/a\.example/],
  ['ISSUER', { PUBLIC_URL: 'https://a.example', ISSUER: 'https://c.example' }, /ISSUER is https:\/\/c\.example/],
  ['AUDIENCE', { PUBLIC_URL: 'https://a.example', AUDIENCE: 'all' }, /AUDIENCE is all here and https:\/\/a\.example/],
])('in production one with another %s does not start, and says how to go on', async (_, environment, sentence) => {
  const refused = startWith({ ...production, ...environment });
  await expect(refused).rejects.toThrow(sentence);
  await expect(refused).rejects.toThrow(/PUBLIC_URL.*`npm run cli -- settings adopt`/);
});

test('elsewhere it starts, and the log says so', async () => {
  const other = await startWith({ PUBLIC_URL: 'http://127.0.0.1:3999' });
  expect(other.log.filter((line) => JSON.stringify(line).includes('settings adopt'))).toHaveLength(1);
  await other.stop();
});

test('settings that were adopted on purpose are those that a replica needs from then on', async () => {
  // in development it starts in spite of them, as the command line does anywhere
  const operator = await startWith({ PUBLIC_URL: 'https://new.example' });
  const changed = await operator.app.get(SharedSettingsService).adopt();
  await operator.stop();
  expect(changed.map(({ name }) => name)).toEqual(['ISSUER', 'AUDIENCE']);
  await expect(startWith({ ...production, PUBLIC_URL: 'https://a.example' })).rejects.toThrow(/new\.example there/);
  await (await startWith({ ...production, PUBLIC_URL: 'https://new.example' })).stop();
  const em = first.app.get(SqlEntityManager).fork();
  expect(await em.execute(`select details from audit_events where event = 'settings-changed'`)).toEqual([
    {
      details: {
        ISSUER: { from: 'https://a.example', to: 'https://new.example' },
        AUDIENCE: { from: 'https://a.example', to: 'https://new.example' },
      },
    },
  ]);
});
