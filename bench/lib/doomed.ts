import { type Account, seedAccounts, signIn, signInAdmin } from './accounts.ts';
import { call } from './call.ts';
import type { Database } from './database.ts';
import type { Server } from './replica.ts';
import { registerService } from './services.ts';
import { rotateKeys, runCli } from './upgrade-cli.ts';

/** A good token whose trust is about to end, and the request that ends it. */
export type Doomed = { readonly kind: string; readonly token: string; readonly end: (at: Server) => Promise<unknown> };

/** Where tokens are prepared. `by` is the key of a service that may revoke tokens. */
export type Ground = { readonly server: Server; readonly database: Database; readonly by: string };

/** Kinds of the feed that a request ends; `key` is the command line's (`doomByKey`). */
export const doomers: Readonly<Record<string, (ground: Ground, count: number) => Promise<readonly Doomed[]>>> = {
  token: doomByToken,
  session: doomBySession,
  user: doomByUser,
  service: doomByService,
  role: doomByRole,
};

/** Grave changes need a password of the last ten minutes. */
const freshForMs = 240_000;
let admin: { readonly token: string; readonly sinceMs: number } | undefined;

/** An administrator who signed in lately. */
export async function freshAdmin(at: Server): Promise<string> {
  if (!admin || performance.now() - admin.sinceMs > freshForMs) {
    admin = { token: (await signInAdmin(at)).accessToken, sinceMs: performance.now() };
  }
  return admin.token;
}

/** After all that was there has ended. */
export function forgetAdmin(): void {
  admin = undefined;
}

/** @returns the token of each of so many accounts */
async function signInMany({ server }: Ground, accounts: readonly Account[]): Promise<readonly string[]> {
  return (await signIn(server.port, accounts)).map(({ accessToken }) => accessToken);
}

const seed = async ({ server, database }: Ground, count: number): Promise<readonly Account[]> =>
  (await seedAccounts(server, database, count)).slice(0, count);

async function doomByToken(ground: Ground, count: number): Promise<readonly Doomed[]> {
  const tokens = await signInMany(ground, await seed(ground, count));
  return tokens.map((token) => {
    const request = { method: 'POST', key: ground.by, body: new URLSearchParams({ token }) };
    return { kind: 'token', token, end: (at: Server) => call(at, '/v1/auth/revoke', request) };
  });
}

async function doomBySession(ground: Ground, count: number): Promise<readonly Doomed[]> {
  const tokens = await signInMany(ground, await seed(ground, count));
  const request = { method: 'POST', expect: 204 };
  return tokens.map((token) => ({
    kind: 'session',
    token,
    end: (at: Server) => call(at, '/v1/auth/logout', { ...request, token }),
  }));
}

async function doomByUser(ground: Ground, count: number): Promise<readonly Doomed[]> {
  const accounts = await seed(ground, count);
  const tokens = await signInMany(ground, accounts);
  const request = { method: 'PATCH', body: { status: 'deactivated' } };
  return accounts.map(({ id }, at) => ({
    kind: 'user',
    token: tokens[at] ?? '',
    end: async (server: Server) => call(server, `/v1/users/${id}`, { ...request, token: await freshAdmin(server) }),
  }));
}

async function doomByService({ server }: Ground, count: number): Promise<readonly Doomed[]> {
  const doomed: Doomed[] = [];
  const deactivate = { method: 'PATCH', body: { status: 'deactivated' } };
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  for (let at = 0; at < count; at++) {
    const name = `doomed-${Date.now().toString(36)}-${at}`;
    const key = await registerService(server, await freshAdmin(server), { name, scopes: ['users:read'] });
    const { access_token: token } = await call(server, '/v1/auth/token', { method: 'POST', key, body: form });
    const end = async (to: Server) => call(to, `/v1/services/${name}`, { ...deactivate, token: await freshAdmin(to) });
    doomed.push({ kind: 'service', token, end });
  }
  return doomed;
}

/** Each holds a role of its own, whose permissions are changed. */
async function doomByRole(ground: Ground, count: number): Promise<readonly Doomed[]> {
  const { server, database } = ground;
  const accounts = await seed(ground, count);
  const roles = accounts.map((_, at) => `doomed-${Date.now().toString(36)}-${at}`);
  for (const name of roles) {
    const request = { method: 'POST', body: { name, permissions: ['bench:read'] }, expect: 201 };
    await call(server, '/v1/roles', { ...request, token: await freshAdmin(server) });
  }
  await database.query(
    `update users u set roles = array['user', given.role]
      from unnest($1::uuid[], $2::text[]) given(id, role) where u.id = given.id`,
    [accounts.map(({ id }) => id), roles],
  );
  const tokens = await signInMany(ground, accounts);
  const change = { method: 'PATCH', body: { permissions: ['bench:write'] } };
  return roles.map((name, at) => ({
    kind: 'role',
    token: tokens[at] ?? '',
    end: async (to: Server) => call(to, `/v1/roles/${name}`, { ...change, token: await freshAdmin(to) }),
  }));
}

/** Each is signed with a key of its own, which the command line retires. */
export async function doomByKey(ground: Ground, app: string, count: number): Promise<readonly Doomed[]> {
  const operator = { folder: app, databaseUrl: ground.database.url };
  const accounts = await seed(ground, count);
  const doomed: Doomed[] = [];
  for (const account of accounts) {
    await rotateKeys(operator);
    const [token = ''] = await signInMany(ground, [account]);
    const { kid } = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString()) as { kid: string };
    doomed.push({ kind: 'key', token, end: () => runCli(operator, 'keys', 'retire', kid) });
  }
  // whoever signs in from now on does not go with them
  await rotateKeys(operator);
  return doomed;
}
