import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { CommonPasswords, digestBytes } from './common-passwords.js';

const dataFolder = join(import.meta.dirname, '../../data');
const file = readFileSync(join(dataFolder, 'common-passwords.bin'));
const common = CommonPasswords.load();

describe('the shipped list', () => {
  test('has at least 100,000 entries', () => expect(common.size).toBeGreaterThanOrEqual(100_000));

  test('is the file that its README describes', () => {
    const readme = readFileSync(join(dataFolder, 'README.md'), 'utf8');
    expect(readme).toContain(hash('sha256', file));
    expect(readme).toContain(common.size.toLocaleString('en'));
  });

  test('is sorted and has no digest twice', () => {
    for (let at = digestBytes; at < file.length; at += digestBytes) {
      const order = file.compare(file, at - digestBytes, at, at, at + digestBytes);
      if (order <= 0) expect.fail(`entry ${at / digestBytes} is out of order`);
    }
  });

  test('is searched by digests of which one in a billion or fewer meet by chance', () => {
    expect(common.size / 2 ** (8 * digestBytes)).toBeLessThanOrEqual(1e-9);
  });
});

describe('a look-up', () => {
  test.each(['password', 'Password1', 'PASSWORD123', 'qwertyuiop', 'iloveyou1', 'P@ssw0rd', '1qaz2wsx', 'trustno1'])(
    'finds %s in any letter case',
    (password) => {
      expect(common.has(password)).toBe(true);
      expect(common.has(password.toLowerCase())).toBe(true);
      expect(common.has(password.toUpperCase())).toBe(true);
    },
  );

  test.each(['', 'correct horse battery staple', 'password ', ' password', 'pässword', 'tr0ub4dor&3-not', '\uD800'])(
    'does not find %j',
    (password) => expect(common.has(password)).toBe(false),
  );

  test('does not find what is only part of a longer password', () => {
    expect(common.has('password and eleven more words')).toBe(false);
  });
});

describe('the file is found whatever the working directory', () => {
  const roots: string[] = [];
  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });

  test('from dist, where the build copies it', () => {
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    roots.push(root);
    cpSync(dataFolder, join(root, 'dist/libs/security/passwords/data'), { recursive: true });
    expect(sizeSeenBy(compileInto(root))).toBe(common.size);
  });

  test('and when it is missing the error names the place where it should be', () => {
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    roots.push(root);
    expect(() => sizeSeenBy(compileInto(root))).toThrow(
      /ENOENT.*dist\/libs\/security\/passwords\/data\/common-passwords\.bin/,
    );
  });
});

function compileInto(root: string): string {
  const folder = join(root, 'dist/libs/security/passwords/src/policy');
  const source = readFileSync(join(import.meta.dirname, 'common-passwords.ts'), 'utf8');
  const target = join(folder, 'common-passwords.mjs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(target, stripTypeScriptTypes(source));
  return target;
}

function sizeSeenBy(module: string): number {
  const code = `const { CommonPasswords } = await import('${pathToFileURL(module).href}');
    console.log(CommonPasswords.load().size);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: '/', stdio: 'pipe' }));
}
