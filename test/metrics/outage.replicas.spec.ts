import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

const metricsToken = 'a-token-for-the-scraper';
let own: OwnDatabase;
let proxy: Proxy;
let gatehouse: Gatehouse;

beforeAll(async () => {
  own = await copyDatabase();
  proxy = await startProxy(own.environment['DATABASE_URL'] ?? '');
  gatehouse = await startGatehouse({ DATABASE_URL: proxy.url, METRICS_TOKEN: metricsToken }, own);
});
afterAll(async () => {
  await proxy.cut();
  await gatehouse.stop();
  await own.drop();
});

/** The status of an answer, and which of two metrics it has: one of the process, one that the database is asked for. */
async function scrape(): Promise<readonly unknown[]> {
  const headers = { authorization: `Bearer ${metricsToken}` };
  const answer = await fetch(`${gatehouse.url}/metrics`, { headers });
  const text = await answer.text();
  const has = (name: string): boolean => new RegExp(`^gatehouse_${name} `, 'm').test(text);
  return [answer.status, has('revocation_feed_stale_seconds'), has('revocation_feed_horizon_age_seconds')];
}

test('while the database is away, metrics are there but for those that it is asked for', async () => {
  expect(await scrape()).toEqual([200, true, true]);
  await proxy.cut();
  await expect.poll(scrape, { timeout: 20_000 }).toEqual([200, true, false]);
  await proxy.mend();
  await expect.poll(scrape, { timeout: 20_000 }).toEqual([200, true, true]);
});
