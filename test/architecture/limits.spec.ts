import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { configSchema } from '../../libs/platform/config/src/config.schema.js';

/** Numbers that bound nothing. */
const ports: ReadonlySet<string> = new Set(['PORT', 'METRICS_PORT']);
const limitName =
  /(^|_)(MAX|MIN|LIMITS?|MS|SECONDS|MINUTES|HOURS|DAYS|BYTES|MIB|PIXELS|COUNT|SIZE|ITERATIONS|ROUNDS)(_|$)/;

const settings = Object.entries(configSchema.shape);
type Setting = (typeof settings)[number][1];

const guide = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8');
/** The cells of each row of the table of limits. */
const rows = (/^## Limits\n(.*?)^## /ms.exec(guide)?.[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
/** A row may have several settings, and as many defaults with slashes between them. */
const documented = rows.flatMap(([, defaults = '', setting = '']) => {
  const names = namesIn(setting);
  const parts = names.length > 1 ? defaults.split(' / ') : [defaults];
  return names.map((name, at) => ({ name, preset: (parts[at] ?? '').replaceAll(/(?<=\d),(?=\d{3})/g, '') }));
});

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name);
}

/**
 * Optional numbers have no default that would tell; some power of ten is within the bounds of each.
 */
const isNumber = (setting: Setting): boolean =>
  Array.from({ length: 13 }, (_, power) => setting.safeParse(`1${'0'.repeat(power)}`)).some(
    ({ data }) => typeof data === 'number',
  );

/** As `.env.example` tells it. */
function presetOf(setting: Setting): string {
  const { preset } = setting.meta() ?? {};
  return typeof preset === 'string' ? preset : JSON.stringify(setting.parse(undefined) ?? 'none').replaceAll('"', '');
}

/** The head of the table, or of a part of it. */
const isGroup = ([what = '']: readonly string[]): boolean => /^(\*\*.*\*\*|-+|what)$/.test(what);

describe('the table of limits in docs/operations.md', () => {
  const limits = settings.filter(([name, setting]) => !ports.has(name) && (isNumber(setting) || limitName.test(name)));

  test.each(limits)('has %s once, with its default', (name, setting) => {
    const found = documented.filter((row) => row.name === name);
    // a number may have its unit, and the same in another one, behind it
    expect(found.map(({ preset }) => /^\d+/.exec(preset)?.[0] ?? preset)).toEqual([presetOf(setting)]);
  });

  test('names settings only that there are', () => {
    const known = new Set(settings.map(([name]) => name));
    expect(rows.flatMap((cells) => namesIn(cells.join(' '))).filter((name) => !known.has(name))).toEqual([]);
  });

  test('says of each limit what happens beyond it', () => {
    expect(rows.length).toBeGreaterThan(limits.length);
    expect(rows.filter((cells) => !isGroup(cells) && (cells.length !== 4 || cells.includes('')))).toEqual([]);
  });
});
