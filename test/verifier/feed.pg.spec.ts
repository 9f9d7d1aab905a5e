import { randomUUID } from 'node:crypto';

import { afterEach, expect, onTestFinished, test } from 'vitest';

import { openFeed, type FeedOptions } from '../../packages/verifier/src/feed/revocation-feed.js';
import type { RevocationView } from '../../packages/verifier/src/feed/revocation-view.js';
import { tokenFact } from '../../packages/verifier/src/revocations/index.js';
import { FeedServer, tokenEntry } from '../support/feed-server.js';

let server: FeedServer;
afterEach(() => server.close());

test('all pages are taken in, and what is revoked later is heard by the stream', async () => {
  server = await new FeedServer().listen();
  const before = Array.from({ length: 8 }, () => randomUUID());
  server.entries = before.map((jti) => tokenEntry(jti));
  const feed = open();
  await feed.ready();
  expect(before.every((jti) => knows(feed, jti))).toBe(true);

  await expect.poll(() => server.openStreams, waiting).toBe(1);
  const later = randomUUID();
  server.revoke(tokenEntry(later));
  await expect.poll(() => knows(feed, later), waiting).toBe(true);
  expect(feed.ageMs).toBeLessThan(10_000);
});

function open(given: Partial<FeedOptions> = {}): RevocationView {
  const feed = openFeed({ url: server.url, serviceKey: 'orders.secret', fetch, requestTimeoutMs: 5_000, ...given });
  onTestFinished(() => feed.close());
  return feed;
}

const waiting = { timeout: 20_000, interval: 5 };
const knows = (feed: RevocationView, jti: string): boolean =>
  feed.isRevoked([tokenFact('token', jti)], Date.now() / 1_000);
