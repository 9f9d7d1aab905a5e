import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { ReadinessChecks } from './readiness-checks.js';

const up = async (checks: ReadinessChecks): Promise<readonly boolean[]> =>
  (await checks.states()).map(({ isUp }) => isUp);

test('a flood of probes asks a slow check once, and its answer is kept for at most a second', async () => {
  const checks = new ReadinessChecks();
  let asked = 0;
  checks.register('database', () => sleep(5).then(() => ++asked === 1));
  await Promise.all(Array.from({ length: 1_000 }, () => up(checks)));
  expect(await up(checks)).toEqual([true]);
  expect(asked).toBe(1);
  await expect.poll(() => up(checks), { timeout: 5_000 }).toEqual([false]);
});

test('a check that answers at once is asked at every probe', async () => {
  const checks = new ReadinessChecks();
  let isServing = true;
  checks.register('serving', () => isServing);
  expect(await up(checks)).toEqual([true]);
  isServing = false;
  expect(await up(checks)).toEqual([false]);
});

test('a check that throws, rejects or hangs is down, and the other checks stay up', async () => {
  const checks = new ReadinessChecks();
  checks.register('throws', () => {
    throw new Error('at once');
  });
  checks.register('rejects', () => Promise.reject(new Error('later')));
  checks.register('hangs', () => new Promise(() => undefined));
  checks.register('works', () => true);
  expect(await up(checks)).toEqual([false, false, false, true]);
});

test('two parts cannot register a readiness check under one name', () => {
  const checks = new ReadinessChecks();
  checks.register('redis', () => true);
  expect(() => checks.register('redis', () => true)).toThrow('registered twice');
});
