import type { Server } from './replica.ts';

type Plan = Readonly<Record<string, { readonly limit: number; readonly windowSeconds: number }>>;

type NewService = { readonly name: string; readonly scopes: readonly string[]; readonly plan?: Plan };

/** Registers a calling service that may read users and revoke tokens. @returns its key */
export const createService = (server: Server, adminToken: string, name: string, plan: Plan): Promise<string> =>
  registerService(server, adminToken, { name, scopes: ['users:read', 'tokens:revoke'], plan });

/** One that checks tokens by itself, and asks where it cannot. @returns its key */
export const createVerifyingService = (server: Server, adminToken: string, name: string): Promise<string> =>
  registerService(server, adminToken, { name, scopes: ['revocations:read', 'tokens:introspect'] });

/** @returns the key of the service */
export async function registerService(server: Server, adminToken: string, service: NewService): Promise<string> {
  const answer = await fetch(`${server.url}/v1/services`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(service),
  });
  if (answer.status !== 201) throw new Error(`service: ${answer.status} ${await answer.text()}`);
  const { secret } = (await answer.json()) as { secret: string };
  return `${service.name}.${secret}`;
}

export const serviceRequest = (path: string, key: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: bench\r\nX-Service-Key: ${key}\r\n\r\n`;

/** Where the limits of a service are counted now, as its usage tells. */
export async function countedIn(server: Server, key: string): Promise<string> {
  const name = key.split('.', 1)[0] ?? '';
  const answer = await fetch(`${server.url}/v1/services/${name}/usage`, { headers: { 'x-service-key': key } });
  const body = (await answer.json()) as { countedIn?: string };
  return body.countedIn ?? String(answer.status);
}

export const metricsToken = 'bench-metrics-token-0815';

/**
 * Where a replica says in `/metrics` that it counts limits; it must have
 * been started with `metricsToken`.
 */
export async function storeInMetrics(server: Server): Promise<string> {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } });
  const text = await answer.text();
  return /^\w*rate_limit_store\{.*?store="(\w+)".*?\} 1$/m.exec(text)?.[1] ?? String(answer.status);
}
