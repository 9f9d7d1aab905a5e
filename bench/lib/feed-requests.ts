import type { Server } from './replica.ts';
import { metricsToken } from './services.ts';

/** Requests by route. */
export type Requests = ReadonlyMap<string, number>;

/** What a verifier asks for by the clock, however many tokens it verifies. */
const constantRoutes = new Set(['/v1/auth/revocations', '/v1/auth/revocations/stream', '/.well-known/jwks.json']);

/** How often each route was answered by now, on all replicas; they must have `metricsToken`. */
export async function readRequests(servers: readonly Server[]): Promise<Requests> {
  const requests = new Map<string, number>();
  for (const { url } of servers) {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
    for (const [, labels = '', value] of (await answer.text()).matchAll(
      /^gatehouse_http_requests_total\{(.*)\} (\d+)$/gm,
    )) {
      const route = /route="([^"]*)"/.exec(labels)?.[1] ?? '';
      if (route !== '/metrics') requests.set(route, (requests.get(route) ?? 0) + Number(value));
    }
  }
  return requests;
}

/** Between two readings: for the feed and the keys, and for anything else. */
export function requestsBetween(
  before: Requests,
  after: Requests,
): { readonly constant: number; readonly other: number } {
  const sums = { constant: 0, other: 0 };
  for (const [route, count] of after) {
    sums[constantRoutes.has(route) ? 'constant' : 'other'] += count - (before.get(route) ?? 0);
  }
  return sums;
}
