import { expect, test } from 'vitest';

import { MemoryStorage } from './memory.storage.js';

test('a flood of addresses takes bounded memory and pushes out no service', async () => {
  const storage = new MemoryStorage();
  await storage.increment('service-read:60000:billing', 60_000, 10);
  for (let at = 0; at < 100_010; at++) await storage.increment(`ip-read:60000:2001:db8:${at}`, 60_000, 10);
  expect([storage.keyCount, storage.evicted]).toEqual([100_001, 10]);
  expect(await storage.read('service-read:60000:billing', { limit: 10, windowSeconds: 60 })).toMatchObject({ used: 1 });
  expect((await storage.increment('ip-read:60000:2001:db8:100009', 60_000, 10)).totalHits).toBe(2);
  expect((await storage.increment('ip-read:60000:2001:db8:0', 60_000, 10)).totalHits).toBe(1);
});
