/** What loading the list of common passwords and judging a password cost. No database, no server. See README.md. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { readOptions } from './lib/options.ts';
import { median } from './lib/statistics.ts';
import { printTable } from './lib/table.ts';

type Common = { readonly size: number };
type CommonPasswordsModule = { readonly CommonPasswords: { load(): Common } };
type Names = { readonly userName: string; readonly firstName: string; readonly lastName: string };
type Rules = { readonly minLength: number; readonly maxLength: number; readonly common: Common };
type PolicyModule = { judgePassword(password: string, personal: Names, rules: Rules): readonly string[] };

const { app, numbers } = readOptions({ times: 25, long: 200_000 });
const folder = join(app, 'dist/libs/security/passwords/src/policy');
const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href);
const { CommonPasswords } = (await load('common-passwords.js')) as CommonPasswordsModule;
const { judgePassword } = (await load('password-policy.js')) as PolicyModule;

const rules: Rules = { minLength: 8, maxLength: 128, common: CommonPasswords.load() };
const jane: Names = { userName: 'jdoe1985', firstName: 'Jane', lastName: 'Müller-Doe' };
const judge = (password: string) => (): unknown => judgePassword(password, jane, rules);
const ordinary = 'cleft cam synod lacy yr wok and velvet '.repeat(4).slice(0, 128);
/** Words that make a slow pattern search or name search worst. */
const units = ['a', 'ab', 'abcd', 'jane', 'aab', '\u0301'];

/** In ms; the work is done `each` times within one measurement, as a single one may be too short to tell. */
function timed(work: () => unknown, each = 1): number {
  const times = Array.from({ length: numbers.times }, () => {
    const startMs = performance.now();
    for (let time = 0; time < each; time++) work();
    return (performance.now() - startMs) / each;
  });
  return median(times);
}

/** Twice the length may take twice the time. */
function growth(unit: string): string {
  const [half, whole] = [numbers.long / 2, numbers.long].map((length) => judge(unit.repeat(length / unit.length)));
  const [halfMs, wholeMs] = [timed(half ?? (() => 0)), timed(whole ?? (() => 0))];
  return `${wholeMs.toFixed(1)} ms (${(wholeMs / halfMs).toFixed(2)} times half of it)`;
}

printTable(`median of ${numbers.times}`, [
  { measure: 'loading the list', value: `${timed(() => CommonPasswords.load()).toFixed(1)} ms`, target: '< 100 ms' },
  {
    measure: 'judging 128 characters',
    value: `${(timed(judge(ordinary), 200) * 1_000).toFixed(0)} µs`,
    target: '< 100 µs',
  },
  ...units.map((unit) => ({
    measure: `judging ${numbers.long} characters of ${JSON.stringify(unit)}`,
    value: growth(unit),
    target: '< 2,000 ms, about 2 times',
  })),
]);
