import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { ImportRecord, type KeptLines, lastLine, replayed } from './resume.js';

const summary = { done: true, rows: 3, created: 3, exists: 0, updated: 0, unchanged: 0, refused: 0 };

async function kept(lines: readonly string[], end = summary): Promise<readonly KeptLines[]> {
  const found: KeptLines[] = [];
  const record = new ImportRecord(async (answer) => void found.push(answer));
  for (const line of lines) record.add(line);
  await record.end(end);
  return found;
}

test('a kept answer is replayed line by line', async () => {
  const lines = ['{"row":1}\n', '', '{"row":2}\n{"row":3}\n'];
  const [answer] = await kept(lines);
  expect(answer && (await text(replayed(answer)))).toBe(lines.join('') + lastLine(summary));
});

test('when an answer is too long, only its last line is replayed, and it says so', async () => {
  const lines = Array.from({ length: 60 }, () => `${randomBytes(100_000).toString('base64')}\n`);
  const [answer] = await kept(lines);
  expect(JSON.stringify(answer).length).toBeLessThan(1_000);
  expect(answer && JSON.parse(await text(replayed(answer)))).toEqual({ ...summary, linesKept: false });
});

test('the answer of an import that was stopped is not kept', async () => {
  expect(await kept(['{"row":1}\n'], { ...summary, done: false })).toEqual([]);
});
