import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { WorkQueue } from './work-queue.js';

test('no more work runs at once than the queue lets run, and it starts in the order in which it came', async () => {
  const queue = new WorkQueue({ concurrency: 3, queue: 100 });
  let [running, atOnce] = [0, 0];
  const started: number[] = [];
  const work = async (name: number): Promise<void> => {
    started.push(name);
    running++;
    atOnce = Math.max(atOnce, running);
    await sleep(2);
    running--;
  };
  const names = Array.from({ length: 20 }, (_, name) => name);
  await Promise.all(names.map((name) => queue.run(() => work(name))));
  expect(atOnce).toBe(3);
  expect(started).toEqual(names);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('work that fails makes room for the next', async () => {
  const queue = new WorkQueue({ concurrency: 1, queue: 1 });
  const failed = queue.run(() => Promise.reject(new Error('no')));
  const next = queue.run(async () => 'done');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('done');
});

test('who finds the queue full is told so; who leaves while waiting is dropped', async () => {
  const queue = new WorkQueue({ concurrency: 1, queue: 1 });
  const first = queue.run(() => sleep(20));
  const leaving = new AbortController();
  const second = queue.run(async () => 'never', { signal: leaving.signal });
  await expect(queue.run(async () => 'never')).rejects.toMatchObject({ code: 'overloaded' });
  leaving.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await first;
  expect(await queue.run(async () => 'done')).toBe('done');
  expect([queue.running, queue.waiting, queue.refused]).toEqual([0, 0, 1]);
});

test('a reservation takes room in the queue until it is used or given back', async () => {
  const queue = new WorkQueue({ concurrency: 1, queue: 1 });
  const end = Promise.withResolvers<void>();
  const first = queue.run(() => end.promise);
  {
    using _ = queue.reserve();
    expect(() => queue.reserve()).toThrow(expect.objectContaining({ code: 'overloaded' }));
  }
  using reservation = queue.reserve();
  const second = queue.run(async () => 'done', { reservation });
  expect([queue.waiting, queue.isFull]).toEqual([1, true]);
  end.resolve();
  await first;
  expect(await second).toBe('done');
  expect(queue.isFull).toBe(false);
});
