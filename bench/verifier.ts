/** What a check by @gatehouse/verifier costs beside bare jose, and its memory. See README.md. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pathToFileURL } from 'node:url';

import { audience, type Issuer, startIssuer } from './lib/issuer.ts';
import { readOptions } from './lib/options.ts';
import { pin } from './lib/process-usage.ts';
import { median, quantile, spread } from './lib/statistics.ts';
import { note, printTable } from './lib/table.ts';

type Verifier = {
  ready(): Promise<void>;
  verify(token: string): Promise<unknown>;
  view(): { readonly entries: number; readonly ageMs: number };
  close(): Promise<void>;
};
type VerifierModule = { createVerifier(options: object): Verifier };
type JoseModule = {
  importJWK(jwk: object, algorithm: string): Promise<object>;
  jwtVerify(token: string, key: object, options: object): Promise<unknown>;
};
/** Something that checks tokens; `rates` in tokens a second, one for each round. */
type Contender = {
  readonly name: string;
  readonly verify: (token: string) => Promise<unknown>;
  readonly calls: number;
  readonly rates: number[];
};

const options = readOptions({ entries: 100_000, tokens: 500, roles: 2, calls: 2_000, rounds: 15 });
const { entries, tokens: tokenCount, roles, calls, rounds } = options.numbers;
/** A token that was seen costs so little that as many more are needed to time them. */
const seenFactor = 20;
const required = createRequire(join(options.app, 'package.json'));
const { importJWK, jwtVerify } = (await import(pathToFileURL(required.resolve('jose')).href)) as JoseModule;
const code = join(options.app, 'dist/packages/verifier/src/index.js');
const { createVerifier } = (await import(pathToFileURL(code).href)) as VerifierModule;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

pin(process.pid, options.serverCpu);
const [none, many] = [await startIssuer(0), await startIssuer(entries)];
const verifiers: Verifier[] = [];
try {
  const memoryMb = await measureMemory();
  note(`${entries} entries: ${memoryMb.toFixed(1)} MB`);
  const contenders = await start();
  await measureRates(contenders);
  const nothing = contenders[3] && { ...contenders[3], verify: () => Promise.resolve() };
  const times = {
    nothing: await timeSeen(nothing),
    none: await timeSeen(contenders[3]),
    many: await timeSeen(contenders[4]),
  };
  report(contenders, times, memoryMb);
} finally {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  none.stop();
  many.stop();
}

/** Bytes of the heap and beside it, once for each of both, after a collection of garbage. */
async function measureMemory(): Promise<number> {
  // the first one loads code, which is not of the entries
  await open(none);
  const usedMb = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1e6;
  };
  const before = usedMb();
  const { entries: known } = (await open(many)).view();
  if (known !== entries) throw new Error(`${known} entries are known, not ${entries}`);
  return usedMb() - before;
}

async function open(issuer: Issuer, more: object = {}): Promise<Verifier> {
  const verifier = createVerifier({
    issuer: issuer.url,
    audience,
    serviceKey: 'bench.secret',
    // what is measured is the check; who is stale for a moment must not ask
    staleness: { afterMs: 60_000, then: 'refuse' },
    ...more,
  });
  verifiers.push(verifier);
  await verifier.ready();
  return verifier;
}

async function start(): Promise<readonly Contender[]> {
  const key = await importJWK(none.jwk, 'ES256');
  const asked = { issuer: none.url, audience, typ: 'at+jwt', algorithms: ['ES256'] };
  const by = async (name: string, issuer: Issuer, more: object = {}): Promise<Contender> => {
    const verifier = await open(issuer, more);
    const isFirstSight = 'cachedTokens' in more;
    return {
      name,
      verify: (token) => verifier.verify(token),
      calls: isFirstSight ? calls : calls * seenFactor,
      rates: [],
    };
  };
  return [
    { name: 'bare jose', verify: (token) => jwtVerify(token, key, asked), calls, rates: [] },
    await by('first sight, 0 entries', none, { cachedTokens: 0 }),
    await by(`first sight, ${entries} entries`, many, { cachedTokens: 0 }),
    await by('seen before, 0 entries', none),
    await by(`seen before, ${entries} entries`, many),
  ];
}

/** Tokens of an issuer; each contender gets those of its own. */
function tokensFor({ name }: Contender): readonly string[] {
  const issuer = name.includes(`${entries} entries`) ? many : none;
  return Array.from({ length: tokenCount }, () => issuer.issue(roles));
}

async function measureRates(contenders: readonly Contender[]): Promise<void> {
  const tokens = contenders.map(tokensFor);
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (Math.max(round, 0) + turn) % contenders.length;
      const contender = contenders[at];
      const rate = contender ? await rateOf(contender, tokens[at] ?? []) : 0;
      // the first round warms up
      if (round >= 0) contender?.rates.push(rate);
    }
    note(`round ${round + 1}: ${contenders.map(({ rates }) => rates.at(-1)?.toFixed(0)).join(' ')} tokens/s`);
  }
}

async function rateOf({ verify, calls }: Contender, tokens: readonly string[]): Promise<number> {
  const startMs = performance.now();
  for (let call = 0; call < calls; call++) await verify(tokens[call % tokens.length] ?? '');
  return (calls / (performance.now() - startMs)) * 1_000;
}

/** Each call by itself, in µs: all that there is beside a signature. */
async function timeSeen(contender: Contender | undefined): Promise<readonly number[]> {
  if (!contender) return [];
  const tokens = tokensFor(contender);
  for (const token of tokens) await contender.verify(token);
  const times: number[] = [];
  for (let call = 0; call < contender.calls; call++) {
    const startMs = performance.now();
    await contender.verify(tokens[call % tokens.length] ?? '');
    times.push((performance.now() - startMs) * 1_000);
  }
  return times;
}

function report(
  contenders: readonly Contender[],
  times: Readonly<Record<'nothing' | 'none' | 'many', readonly number[]>>,
  memoryMb: number,
): void {
  const bare = contenders[0]?.rates ?? [];
  const microsOf = (rates: readonly number[]): readonly number[] => rates.map((rate) => 1e6 / rate);
  printTable(
    `one token after another, of ${tokenCount} with ${roles} roles, ${rounds} rounds`,
    contenders.map(({ name, rates }) => ({
      contender: name,
      'tokens/s': spread(rates),
      'µs each': spread(microsOf(rates), 1),
      'µs over bare jose': (median(microsOf(rates)) - median(microsOf(bare))).toFixed(1),
      'times bare jose': spread(
        rates.map((rate, at) => rate / (bare[at] ?? Number.NaN)),
        2,
      ),
      target: name.startsWith('seen') ? '≥ 10 times' : '',
    })),
  );
  const check = (name: string, values: readonly number[]): Record<string, string> => ({
    measure: `all but the signature, ${name}, µs`,
    p50: quantile(values, 0.5).toFixed(2),
    p99: quantile(values, 0.99).toFixed(2),
    target: 'p99 ≤ 5',
  });
  printTable(`what is done at each call, ${times.many.length} calls`, [
    { ...check('a call that does nothing', times.nothing), measure: 'a call that does nothing, µs', target: '' },
    check('0 entries', times.none),
    check(`${entries} entries`, times.many),
    { measure: `memory of ${entries} entries, MB`, p50: memoryMb.toFixed(1), p99: '', target: '< 20' },
  ]);
}
