import { spawnSync } from 'node:child_process';
import process from 'node:process';

import { expect, test } from 'vitest';

/** Runs a script that has `out`, which writes to standard output, and gives back what each of its writes wrote. */
function writesOf(script: string): readonly string[] {
  const source = `
    import { inTurns } from ${JSON.stringify(new URL('in-turns.ts', import.meta.url).href)};
    import { writeSync } from 'node:fs';
    const out = inTurns({ write: (lines) => writeSync(1, JSON.stringify(lines) + '\\n') });
    ${script}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line): string => JSON.parse(line));
}

test('lines of one turn are one write, those of the next another', () => {
  const script = "out.write('a '); out.write('b '); setTimeout(() => out.write('c '), 20);";
  expect(writesOf(script)).toEqual(['a b ', 'c ']);
});

test.each(['process.exit(1)', "throw new Error('unexpected')", 'await Promise.reject(new Error())'])(
  'what `%s` interrupts is written before',
  (end) => {
    expect(writesOf(`out.write('last words'); ${end};`)).toEqual(['last words']);
  },
);
