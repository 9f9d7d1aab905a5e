import { expect, test } from 'vitest';

import { loadConfig } from '#libs/platform/config';
import { MetricSources } from '#libs/platform/monitoring';

import { Passwords } from './passwords.js';

const passwords = new Passwords(loadConfig({}), new MetricSources());

/** CPU that so many checks take, in microseconds; others on the machine do not count. */
async function cpuOf(passwordHash: string | undefined): Promise<number> {
  const before = process.cpuUsage();
  for (let time = 0; time < 10; time++) expect(await passwords.verify('not the password', passwordHash)).toBe(false);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

test('a password that there is no hash for takes the work of one that there is', async () => {
  const known = await cpuOf(await passwords.hash('seven green bottles'));
  expect(await cpuOf(undefined)).toBeGreaterThan(known / 2);
});
