import { setTimeout as sleep } from 'node:timers/promises';

import { type Account, seedAccounts, signIn, signInAdmin, type Tokens } from './accounts.ts';
import type { Database } from './database.ts';
import type { Server } from './replica.ts';
import { type By, kinds, type Victim } from './revoke.ts';
import { Connection, meRequest } from './connection.ts';

/** One way by which trust ends, and a signed-in account that it is tried on. */
export type Case = { readonly kind: string; readonly victim: Victim; readonly request: (by: By) => string };

/** A signed-in account for each way by which trust ends. */
export async function prepareCases(server: Server, database: Database): Promise<readonly Case[]> {
  const accounts = (await seedAccounts(server, database, kinds.length)).slice(0, kinds.length);
  const tokens = await signIn(server.port, accounts);
  return kinds.flatMap(({ name, request }, at) => {
    const victim = victimOf(accounts[at], tokens[at]);
    return victim ? [{ kind: name, victim, request: (by: By) => request(victim, by) }] : [];
  });
}

function victimOf(account: Account | undefined, tokens: Tokens | undefined): Victim | undefined {
  return account && tokens && { account, tokens };
}

/** What a request is answered; 0 when the connection is refused or cut. */
export async function statusOf(port: number, request: string): Promise<number> {
  try {
    const connection = await Connection.open(port);
    const { status } = await connection.send(request);
    connection.close();
    return status;
  } catch {
    return 0;
  }
}

/**
 * Sends until it is answered 2xx, or 401 by a token that has gone with an
 * earlier try, for so long at most.
 */
export async function insist(port: number, request: string, forMs: number): Promise<boolean> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const status = await statusOf(port, request);
    if (status >= 200 && status < 300) return true;
    await sleep(200);
  }
  return false;
}

/** Kinds whose token is still accepted by a replica at some time within so long. */
export async function accepted(servers: readonly Server[], cases: readonly Case[], forMs: number): Promise<string[]> {
  const found = new Set<string>();
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    for (const { port } of servers) {
      for (const { kind, victim } of cases) {
        // 404 is how the answer for an erased user's token that is still accepted looked once
        const status = await statusOf(port, meRequest(victim.tokens.accessToken));
        if (status === 200 || status === 404) found.add(kind);
      }
    }
  }
  return [...found];
}

export async function isReady({ url }: Server): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_500) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

export async function untilReady(servers: readonly Server[], forMs = 40_000): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() < startedAt + forMs) {
    if ((await Promise.all(servers.map(isReady))).every(Boolean)) return performance.now() - startedAt;
    await sleep(100);
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * An administrator with a fresh token, and the key of a service that may revoke;
 * nothing when no login gets through.
 */
export async function authorise(server: Server, serviceKey: string, forMs: number): Promise<By | undefined> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const tokens = await signInAdmin(server).catch(() => undefined);
    if (tokens) return { admin: tokens.accessToken, serviceKey };
    await sleep(200);
  }
  return undefined;
}
