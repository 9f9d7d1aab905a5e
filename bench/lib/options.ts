import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What every script takes, beside numbers of its own. */
export type Options<Name extends string = never> = {
  /** A built checkout of Gatehouse. */
  readonly app: string;
  /** A PostgreSQL server on which databases may be made and dropped. */
  readonly database: string;
  /** Core of the measured server. */
  readonly serverCpu: string;
  /** Core of the load generator and of PostgreSQL's processes that serve us. */
  readonly loadCpu: string;
  readonly nodeFlags: readonly string[];
  readonly numbers: Readonly<Record<Name, number>>;
  readonly flags: ReadonlySet<string>;
  readonly texts: Readonly<Record<string, string>>;
};

/** `npm start` of Gatehouse gives these to Node. */
const shippedFlags = '--max-semi-space-size=16';

/** Reads the command line; `numbers` and `texts` name the script's own options and defaults. */
export function readOptions<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  flags: readonly string[] = [],
  texts: Readonly<Record<string, string>> = {},
): Options<Name> {
  const names = Object.keys(numbers);
  const { values } = parseArgs({
    options: {
      app: { type: 'string', default: '..' },
      database: { type: 'string', default: 'postgres://postgres@127.0.0.1:5432/postgres' },
      'server-cpu': { type: 'string', default: '0' },
      'load-cpu': { type: 'string', default: '1' },
      'node-flags': { type: 'string', default: shippedFlags },
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(Object.keys(texts).map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean' as const }])),
    },
  });
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const chosen = Object.entries<number>(numbers).map(([name, preset]) => [name, Number(given[name] ?? preset)]);
  return {
    app: resolve(String(given['app'])),
    database: String(given['database']),
    serverCpu: String(given['server-cpu']),
    loadCpu: String(given['load-cpu']),
    nodeFlags: String(given['node-flags']).split(' ').filter(Boolean),
    numbers: Object.fromEntries(chosen) as Record<Name, number>,
    flags: new Set(flags.filter((name) => given[name] === true)),
    texts: Object.fromEntries(Object.entries(texts).map(([name, preset]) => [name, String(given[name] ?? preset)])),
  };
}
