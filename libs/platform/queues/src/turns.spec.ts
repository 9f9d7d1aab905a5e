import { expect, test } from 'vitest';

import { Turns } from './turns.js';

test('work about one thing comes one after the other, in order; that about another does not wait', async () => {
  const turns = new Turns(60_000);
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const all = [
    turns.take('ada', () => first.promise.then(() => seen.push('first'))),
    turns.take('ada', async () => seen.push('second')),
    turns.take('bob', async () => seen.push('other')),
  ];
  await all[2];
  first.resolve();
  await Promise.all(all);
  expect(seen).toEqual(['other', 'first', 'second']);
});

test('who waits too long is told so, and nobody overtakes what is still under way', async () => {
  const turns = new Turns(10);
  const first = Promise.withResolvers<string>();
  const held = turns.take('ada', () => first.promise);
  const late = [turns.take('ada', async () => 'late'), turns.take('ada', async () => 'late')];
  for (const { reason } of (await Promise.allSettled(late)) as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({ code: 'unavailable' });
  }
  await expect(turns.take('ada', async () => 'overtaken')).rejects.toMatchObject({ code: 'unavailable' });
  first.resolve('done');
  await expect(held).resolves.toBe('done');
  await expect(turns.take('ada', async () => 'next')).resolves.toBe('next');
});

test('work that fails ends its turn', async () => {
  const turns = new Turns(60_000);
  await expect(turns.take('ada', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(turns.take('ada', async () => 'next')).resolves.toBe('next');
});
