import { expect, test } from 'vitest';

import { SteadyClock } from './steady-clock.js';

let monotonicMs = 0;
let wallMs = 0;
const newClock = (): SteadyClock => {
  [monotonicMs, wallMs] = [5_000, 1_800_000_000_000];
  const clock = new SteadyClock(
    () => monotonicMs,
    () => wallMs,
  );
  expect(clock.now()).toBe(5_000);
  return clock;
};
const pass = (ms: number, wall = ms): void => {
  monotonicMs += ms;
  wallMs += wall;
};

test('time in which the machine was suspended has passed', () => {
  const clock = newClock();
  pass(0, 60_000);
  expect(clock.now()).toBe(65_000);
  pass(10);
  expect(clock.now()).toBe(65_010);
});

test('a wall clock that is slewed changes nothing', () => {
  const clock = newClock();
  for (let second = 1; second <= 10_000; second++) {
    pass(1_000, 1_000.5);
    clock.now();
  }
  expect(clock.now()).toBe(10_005_000);
});

test('a wall clock that is put back does not bring time back', () => {
  const clock = newClock();
  pass(1_000, -3_600_000);
  expect(clock.now()).toBe(6_000);
});
