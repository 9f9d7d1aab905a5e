import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An issuer in this process: keys, and a feed with so many entries that end no token of ours. */
export type Issuer = {
  readonly url: string;
  readonly jwk: object;
  /** A token as Gatehouse gives a person with these many roles. */
  readonly issue: (roles: number) => string;
  readonly stop: () => void;
};

export const audience = 'https://orders.example.org';

export async function startIssuer(entries: number): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.endsWith('/stream')) return stream(response);
    const first = Number(searchParams.get('page') ?? 0);
    const isAll = searchParams.get('cursor') === null;
    const body = pathname.endsWith('/jwks.json') ? { keys: [jwk] } : page(first, isAll ? entries : 0);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issue = (roles: number): string => {
    const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid })}.${encode(claims(url, roles))}`;
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url, jwk, issue, stop };
}

function claims(iss: string, roles: number): object {
  const iat = Math.floor(Date.now() / 1_000);
  const names = Array.from({ length: roles }, (_, index) => `role-${index}`);
  const parties = {
    iss,
    sub: randomUUID(),
    aud: audience,
    client_id: 'gatehouse',
    jti: randomUUID(),
    sid: randomUUID(),
  };
  const permissions = names.flatMap((name) => [`${name}:read`, `${name}:write`]);
  return { ...parties, iat, exp: iat + 3_600, roles: names, permissions, gen: 1, role_gen: 1, auth_time: iat };
}

const frame = { epoch: 'bench', cursor: 'bench', heartbeatMs: 1_000 };

function page(first: number, entries: number): object {
  const count = Math.min(2_000, entries - first);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const items = Array.from({ length: Math.max(0, count) }, () => ({
    kind: 'token',
    subject: randomUUID(),
    below: null,
    cause: 'bench',
    expiresAt,
  }));
  return { ...frame, items, nextPage: first + count < entries ? String(first + count) : null };
}

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const beat = (): void => {
    const heartbeat = JSON.stringify({ cursor: 'bench', epoch: 'bench', sentMs: performance.now() });
    response.write(`event: heartbeat\nid: bench\ndata: ${heartbeat}\n\n`);
  };
  beat();
  const timer = setInterval(beat, frame.heartbeatMs);
  response.once('close', () => clearInterval(timer));
}
