import { expect, test } from 'vitest';

import { limitVectors } from '../../../../test/support/limit-vectors.js';
import { decide, type WindowState } from './sliding-window.js';

test.each(limitVectors)('%s', (_, steps) => {
  let state: WindowState | undefined;
  for (const { atMs, times = 1, limit = 10, expected } of steps) {
    let answer: unknown;
    for (let time = 0; time < times; time++) {
      const decision = decide(state, { limit, windowSeconds: 1 }, atMs);
      state = decision.state;
      const { isAllowed, used, resetMs, retryMs } = decision;
      answer = { isAllowed, used, resetMs, retryMs, refused: state.refused };
    }
    expect(answer, `at ${atMs} ms`).toEqual(expected);
  }
});

/** How many requests are let through in each minute when one comes every `everyMs`. */
function letThrough(everyMs: number, limit: number, windows: number) {
  const windowMs = 60_000;
  const counts = Array.from({ length: windows }, () => 0);
  let state: WindowState | undefined;
  for (let nowMs = 0; nowMs < windows * windowMs; nowMs += everyMs) {
    const decision = decide(state, { limit, windowSeconds: 60 }, nowMs);
    state = decision.state;
    const at = Math.floor(nowMs / windowMs);
    if (decision.isAllowed) counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

test.each([
  ['five times the limit', 20],
  ['a hundred times the limit', 1],
  ['just above the limit', 99],
])('%s gets the limit in every window', (_, everyMs) => {
  for (const count of letThrough(everyMs, 600, 5)) {
    expect(count).toBeGreaterThanOrEqual(594);
    expect(count).toBeLessThanOrEqual(600);
  }
});

test('half the limit is never refused', () => {
  expect(letThrough(200, 600, 5)).toEqual([300, 300, 300, 300, 300]);
});

test('whoever waits as long as told is let through, and a millisecond sooner is not', () => {
  const rateLimit = { limit: 7, windowSeconds: 1 };
  let state: WindowState | undefined;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 37) {
    const decision = decide(state, rateLimit, nowMs);
    state = decision.state;
    if (decision.isAllowed) continue;
    expect(decide(state, rateLimit, nowMs + decision.retryMs).isAllowed, `at ${nowMs}`).toBe(true);
    expect(decide(state, rateLimit, nowMs + decision.retryMs - 1).isAllowed, `at ${nowMs}`).toBe(false);
  }
});
