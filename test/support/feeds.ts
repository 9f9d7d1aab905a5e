import { onTestFinished } from 'vitest';

import { type FeedOptions, openFeed } from '../../packages/verifier/src/feed/revocation-feed.js';
import type { RevocationView } from '../../packages/verifier/src/feed/revocation-view.js';
import { tokenFact } from '../../packages/verifier/src/revocations/index.js';

/** What is waited for comes; how soon is measured elsewhere. */
export const waiting = { timeout: 20_000, interval: 5 };

export type WatchedFeed = RevocationView & {
  /** Why it could not be read, in order. */
  readonly failures: readonly string[];
  readonly resets: () => number;
};

/** A feed that ends with the test. */
export function openWatchedFeed(url: string, given: Partial<FeedOptions> = {}): WatchedFeed {
  const failures: string[] = [];
  let resets = 0;
  const feed = openFeed({
    url,
    serviceKey: 'orders.secret',
    fetch,
    requestTimeoutMs: 5_000,
    onReset: () => resets++,
    onFailure: ({ message }) => failures.push(message),
    ...given,
  });
  onTestFinished(() => feed.close());
  return Object.assign(feed, { failures, resets: () => resets });
}

export const knows = (feed: RevocationView, jti: string): boolean =>
  feed.isRevoked([tokenFact('token', jti)], Date.now() / 1_000);
