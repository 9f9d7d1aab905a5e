import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { beginClock, followClock, knownMs, type StreamClock } from './freshness.js';

type Received = {
  readonly ageMs?: number;
  readonly walk?: { readonly requestedMs: number; readonly takenInMs: number };
  readonly stream?: { readonly requestedMs: number };
  readonly heartbeat?: { readonly sentMs: number; readonly receivedMs: number };
};
const vectors = JSON.parse(readFileSync(new URL('../../../../docs/feed-vectors.json', import.meta.url), 'utf8')) as {
  readonly ages: readonly { readonly name: string; readonly received: readonly Received[] }[];
};

test.for(vectors.ages)('$name', ({ received }) => {
  expect(agesOf(received)).toEqual(received.map(({ ageMs }) => ageMs).filter((ageMs) => ageMs !== undefined));
});

test('whatever is held up, nothing looks fresher than it is but by the drift that is allowed', () => {
  for (let round = 0; round < 200; round++) {
    const aheadMs = Math.random() * 1e9;
    let clock: StreamClock | undefined;
    let receivedMs = 0;
    for (let second = 0; second < 100; second++) {
      const trueMs = 10 + second * 1_000;
      receivedMs = Math.max(receivedMs, trueMs + (Math.random() < 0.2 ? Math.random() * 60_000 : Math.random() * 50));
      const heartbeat = { sentMs: trueMs + aheadMs, receivedMs };
      clock = clock ? followClock(clock, heartbeat) : beginClock(0, heartbeat);
      expect(knownMs(clock)).toBeLessThanOrEqual(trueMs + second + 0.001);
    }
  }
});

/** At each moment in which something was taken in. */
function agesOf(received: readonly Received[]): readonly number[] {
  let known = Number.NEGATIVE_INFINITY;
  let requestedMs = 0;
  let clock: StreamClock | undefined;
  return received.flatMap(({ walk, stream, heartbeat }) => {
    if (stream) requestedMs = stream.requestedMs;
    if (walk) known = Math.max(known, walk.requestedMs);
    if (heartbeat) {
      clock = clock ? followClock(clock, heartbeat) : beginClock(requestedMs, heartbeat);
      known = Math.max(known, knownMs(clock));
    }
    const nowMs = walk?.takenInMs ?? heartbeat?.receivedMs;
    return nowMs === undefined ? [] : [Math.round(nowMs - known)];
  });
}
