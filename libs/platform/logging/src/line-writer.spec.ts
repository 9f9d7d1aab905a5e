import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

import { expect, test } from 'vitest';

const source = (script: string): string => `
  import { writeSync } from 'node:fs';
  import { lineWriter, writeToStdout } from ${JSON.stringify(new URL('line-writer.ts', import.meta.url).href)};
  const describeDropped = (count) => 'dropped ' + count + '\\n';
  ${script}`;

/**
 * Runs a script that has `out`, which writes to standard output, and gives back what each of its
 * writes wrote.
 */
function writesOf(script: string): readonly string[] {
  const whole = `
    const write = (bytes) => (writeSync(1, JSON.stringify(String(bytes)) + '\\n'), bytes.length);
    const out = lineWriter({ write, describeDropped });
    ${script}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', source(whole)], {
    encoding: 'utf8',
  });
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

/**
 * Runs a script whose standard output nobody reads before it says so on standard error, and gives
 * back all of it.
 */
async function readLate(script: string): Promise<readonly string[]> {
  const whole = `
    const out = lineWriter({ write: writeToStdout, describeDropped, limitBytes: 100_000 });
    const writeLines = (count) => { for (let at = 0; at < count; at++) out.write('x'.repeat(99) + '\\n'); };
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source(whole)]);
  child.stdout.pause();
  await once(child.stderr, 'data');
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(child, 'close');
  return Buffer.concat(chunks).toString().trimEnd().split('\n');
}

test('while nobody reads the process goes on; lines beyond the bound are counted, and told of when there is room', async () => {
  // what the pipe holds, then 100,000 bytes that wait
  const lines = await readLate(`
    let rounds = 0;
    const writing = setInterval(() => {
      writeLines(100);
      if (++rounds < 300) return;
      clearInterval(writing);
      writeSync(2, 'wrote all');
      const reading = setInterval(() => { if (out.dropped > 0) { out.write('after\\n'); } }, 100);
      setTimeout(() => clearInterval(reading), 500);
    }, 1);`);
  const told = lines.findIndex((line) => line.startsWith('dropped '));
  const written = lines.filter((line) => line.startsWith('x')).length;
  expect(Number(lines[told]?.slice('dropped '.length)) + written).toBe(30_000);
  expect(written).toBeGreaterThan(1_000);
  expect(lines.slice(told + 1)).toContain('after');
});

test('an exit waits for its reader, and loses nothing of what was waiting', async () => {
  const lines = await readLate("writeLines(900); setTimeout(() => { writeSync(2, 'bye'); process.exit(0); }, 100);");
  expect(lines).toEqual(Array.from({ length: 900 }, () => 'x'.repeat(99)));
});

test('an exit does not wait for ever, and a reader that has left is no error', () => {
  const command = `${JSON.stringify(process.execPath)} --input-type=module --eval "$0" | true; echo "$?"`;
  const whole = `const out = lineWriter({ write: writeToStdout, describeDropped });
    setTimeout(() => out.write('to nobody'), 50); setTimeout(() => { writeSync(2, 'went on'); }, 200);`;
  const { stderr } = spawnSync('sh', ['-c', command, source(whole)], { encoding: 'utf8' });
  expect(stderr).toBe('went on');
});
