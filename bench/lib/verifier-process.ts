/** A verifier in a process of its own, as another service has it. Driven by verifiers.ts. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command, Load, Outcome, Run, Setup, Verifier } from './verifiers.ts';
import { monotonicMs } from './verifiers.ts';

const setup = JSON.parse(process.argv[2] ?? '') as Setup;
/** Between two looks at a token that is refused: it must stay so, which needs no haste. */
const calmMs = 25;
/** Between two rounds of a load, which is `batch` tokens each. */
const [roundMs, batch] = [5, 4];

const { createVerifier } = (await import(setup.module)) as { createVerifier: (options: object) => Verifier };
const verifier = createVerifier({ ...setup.options, fetch: ask });
const counts = { resets: 0, stale: 0 };
verifier.on('reset', () => counts.resets++).on('stale', () => counts.stale++);
const tracked = new Map<string, Run[]>();
let load: { tokens: Load; isOver: boolean; done: Promise<unknown> } | undefined;

process.on('message', ({ id, command }: { id: number; command: Command }) => {
  answer(command).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));

/** Who asked may have gone meanwhile. */
function reply(message: object): void {
  process.send?.(message, undefined, {}, () => undefined);
}

/** As the verifier would ask; some ways are closed or lead elsewhere. */
function ask(address: string | URL | Request, init?: RequestInit): Promise<Response> {
  const url = address instanceof Request ? address.url : address.toString();
  const { introspectAt, options, without } = setup;
  if (without === 'streams' && url.includes('/revocations/stream')) {
    return Promise.resolve(new Response('no streams here', { status: 502 }));
  }
  const isDirect = introspectAt !== undefined && url.endsWith('/v1/auth/introspect');
  return fetch(isDirect ? url.replace(options.url, introspectAt) : url, init);
}

async function answer(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'ready':
      await verifier.ready();
      return verifier.view();
    case 'view':
      return { ...verifier.view(), ...counts, residentMb: process.memoryUsage.rss() / 2 ** 20 };
    case 'judge':
      return Promise.all(command.tokens.map(judge));
    case 'track':
      await Promise.all(command.tokens.map((token) => track(token, command.everyMs)));
      return undefined;
    case 'untrack':
      return command.tokens.map((token) => {
        const runs = tracked.get(token) ?? [];
        tracked.delete(token);
        return runs;
      });
    case 'verify':
      return verifyMany(command.tokens, command.count);
    case 'load':
      if (load) load.tokens = command.tokens;
      else startLoad(command.tokens);
      return undefined;
    case 'unload':
      return unload();
  }
}

async function judge(token: string): Promise<Outcome> {
  try {
    const { isStale } = await verifier.verify(token);
    return isStale ? 'stale, accepted' : 'good';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/**
 * Asks about a token again and again, and notes how long it was judged alike. Resolves when it was
 * judged once.
 */
async function track(token: string, everyMs: number): Promise<void> {
  const runs: Run[] = [];
  tracked.set(token, runs);
  await look(token, runs);
  void goOn(token, runs, everyMs);
}

async function goOn(token: string, runs: Run[], everyMs: number): Promise<void> {
  while (tracked.get(token) === runs) {
    await sleep(runs.at(-1)?.outcome === 'revoked' ? Math.max(everyMs, calmMs) : everyMs);
    await look(token, runs);
  }
}

async function look(token: string, runs: Run[]): Promise<void> {
  const begunMs = monotonicMs();
  const outcome = await judge(token);
  const latest = runs.at(-1);
  if (latest?.outcome === outcome) {
    latest.lastBegunMs = begunMs;
    latest.count++;
  } else {
    runs.push({ outcome, firstDoneMs: monotonicMs(), lastBegunMs: begunMs, count: 1 });
  }
}

/** As fast as it goes. @returns how often each outcome came */
async function verifyMany(tokens: readonly string[], count: number): Promise<Record<Outcome, number>> {
  const outcomes: Record<Outcome, number> = {};
  for (let at = 0; at < count; at++) add(outcomes, await judge(tokens[at % tokens.length] ?? ''));
  return outcomes;
}

function startLoad(tokens: Load): void {
  const [good, ended]: Record<Outcome, number>[] = [{}, {}];
  const examples = new Set<string>();
  const verifyNext = async (list: readonly string[], at: number, into: Record<Outcome, number>): Promise<void> => {
    const token = list[at % list.length];
    if (token === undefined) return;
    const outcome = await judge(token);
    add(into, outcome);
    const isWrong = (outcome === 'good') !== (into === good);
    if (isWrong && outcome !== 'revoked') examples.add(`${outcome} ${token.slice(-6)}`);
  };
  const run = async (current: { tokens: Load; isOver: boolean }): Promise<unknown> => {
    for (let at = 0; !current.isOver; at += batch) {
      for (let of = 0; of < batch; of++) await verifyNext(current.tokens.good, at + of, good ?? {});
      await verifyNext(current.tokens.ended, at / batch, ended ?? {});
      await sleep(roundMs);
    }
    return { good, ended, examples: [...examples].slice(0, 4) };
  };
  const current = { tokens, isOver: false, done: Promise.resolve<unknown>(undefined) };
  current.done = run(current);
  load = current;
}

function unload(): Promise<unknown> {
  if (!load) throw new Error('There is no load.');
  const { done } = load;
  load.isOver = true;
  load = undefined;
  return done;
}

function add(outcomes: Record<Outcome, number>, outcome: Outcome): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
