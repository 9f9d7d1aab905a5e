import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { MachineSlots } from './machine-slots.js';
import { LoopRest } from './loop-rest.js';
import { WorkQueue } from './work-queue.js';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'slots-'));
  folder = join(parent, `work-${getuid?.() ?? 'user'}`);
});
afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

/** What a process has: a queue of its own, and the machine's slots. */
const processOf = (concurrency: number, slots = 2, queue = 1_000): WorkQueue =>
  new WorkQueue({ concurrency, queue, slots: MachineSlots.open(slots, 'work', parent) });

/** Gives each queue so much work, and tells how much of it ran at once and in which order it was done. */
async function flood(queues: readonly WorkQueue[], each: number): Promise<{ atOnce: number; order: number[] }> {
  let [running, atOnce] = [0, 0];
  const order: number[] = [];
  const work = async (of: number): Promise<void> => {
    running++;
    atOnce = Math.max(atOnce, running);
    await sleep(5);
    running--;
    order.push(of);
  };
  await Promise.all(queues.flatMap((queue, of) => Array.from({ length: each }, () => queue.run(() => work(of)))));
  return { atOnce, order };
}

test('processes of one machine run no more at once than it has slots, and all get through', async () => {
  const { atOnce, order } = await flood([processOf(2), processOf(2), processOf(2)], 20);
  expect([atOnce, order.length]).toEqual([2, 60]);
  expect(readdirSync(folder)).toEqual([]);
});

test('a process under a flood leaves turns to the others', async () => {
  const [busy, calm] = [processOf(2), processOf(2)];
  const flooding = flood([busy], 200);
  await sleep(20);
  const startedWith = busy.waiting;
  for (let round = 0; round < 5; round++) await calm.run(() => sleep(1));
  expect(busy.waiting).toBeGreaterThan(startedWith / 2);
  await flooding;
});

test('one process alone runs as many as it may', async () => {
  expect((await flood([processOf(2, 8)], 20)).atOnce).toBe(2);
  expect((await flood([new WorkQueue({ concurrency: 3, queue: 100 })], 20)).atOnce).toBe(3);
});

test('the slots of a killed process come free', async () => {
  const queue = processOf(2, 1);
  MachineSlots.open(1, 'work', parent)?.tryTake();
  utimesSync(join(folder, 'slot-0'), 0, 0);
  expect((await flood([queue], 10)).order).toHaveLength(10);
});

test('a folder that others can open is not used', () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  expect(MachineSlots.open(2, 'work', parent)).toBeUndefined();
  expect(MachineSlots.open(2, 'work', join(parent, 'absent', '\0'))).toBeUndefined();
});

test('a folder that is swept away keeps nothing from being done', async () => {
  const queue = processOf(2);
  rmSync(folder, { recursive: true });
  expect((await flood([queue], 10)).order).toHaveLength(10);
  expect(existsSync(folder)).toBe(false);
});

test('who finds the queue full is told so; who leaves while waiting is dropped', async () => {
  const queue = processOf(1, 1, 1);
  const first = queue.run(() => sleep(20));
  const leaving = new AbortController();
  const second = queue.run(async () => 'never', { signal: leaving.signal });
  await expect(queue.run(async () => 'never')).rejects.toMatchObject({ code: 'overloaded' });
  leaving.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await first;
  expect(await queue.run(async () => 'done')).toBe('done');
  expect([queue.running, queue.waiting, readdirSync(folder)]).toEqual([0, 0, []]);
});

test('while all that may run is busy the loop rests after a refusal, and never past the end of a work', async () => {
  const queue = new WorkQueue({ concurrency: 1, queue: 100 });
  const rest = new LoopRest(queue);
  const restedMs = async (): Promise<number> => {
    const from = performance.now();
    rest.begin();
    await new Promise(setImmediate);
    return performance.now() - from;
  };
  expect(queue.noneEndsForMs()).toBe(0);
  for (let work = 0; work < 16; work++) await queue.run(() => sleep(30));
  expect(queue.noneEndsForMs()).toBe(0);
  const running = queue.run(() => sleep(60));
  expect(queue.noneEndsForMs()).toBeGreaterThan(10);
  expect(await restedMs()).toBeGreaterThan(9);
  await sleep(25);
  // it may end at any time now
  expect(queue.noneEndsForMs()).toBeLessThanOrEqual(0);
  await running;
});
