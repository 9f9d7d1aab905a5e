import { expect, test } from 'vitest';

import { limitVectors } from '../../../../test/support/limit-vectors.js';
import { decide, type WindowState } from './sliding-window.js';

test.each(limitVectors)('%s', (_, steps) => {
  let state: WindowState | undefined;
  for (const { atMs, times = 1, limit = 10, expected } of steps) {
    let answer: unknown;
    for (let time = 0; time < times; time++) {
      const decision = decide(state, { limit, windowMs: 1_000 }, atMs);
      state = decision.state;
      const { isAllowed, used, resetMs, retryMs } = decision;
      answer = { isAllowed, used, resetMs, retryMs, refused: state.refused };
    }
    expect(answer, `at ${atMs} ms`).toEqual(expected);
  }
});

/** Requests every `everyMs` from 0; how many were let through in each of the windows. */
function letThrough(everyMs: number, { limit, windowMs }: { limit: number; windowMs: number }, windows: number) {
  const counts = Array.from({ length: windows }, () => 0);
  let state: WindowState | undefined;
  for (let nowMs = 0; nowMs < windows * windowMs; nowMs += everyMs) {
    const decision = decide(state, { limit, windowMs }, nowMs);
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
  for (const count of letThrough(everyMs, { limit: 600, windowMs: 60_000 }, 5)) {
    expect(count).toBeGreaterThanOrEqual(594);
    expect(count).toBeLessThanOrEqual(600);
  }
});

test('half the limit is never refused', () => {
  expect(letThrough(200, { limit: 600, windowMs: 60_000 }, 5)).toEqual([300, 300, 300, 300, 300]);
});

test('whoever waits as long as told is let through, and a millisecond sooner is not', () => {
  const rule = { limit: 7, windowMs: 1_000 };
  let state: WindowState | undefined;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 37) {
    const decision = decide(state, rule, nowMs);
    state = decision.state;
    if (decision.isAllowed) continue;
    expect(decide(state, rule, nowMs + decision.retryMs).isAllowed, `at ${nowMs}`).toBe(true);
    expect(decide(state, rule, nowMs + decision.retryMs - 1).isAllowed, `at ${nowMs}`).toBe(false);
  }
});
