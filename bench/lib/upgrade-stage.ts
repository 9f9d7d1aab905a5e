import { type Account, type Tokens, userPassword } from './accounts.ts';
import { call } from './call.ts';
import type { Server } from './replica.ts';
import type { TrustBoard } from './trust-board.ts';

/** What a step works with: `at` does the thing, `other` is a replica of the other version. */
export type Stage = {
  readonly at: Server;
  readonly other: Server;
  readonly board: TrustBoard;
  /** An access token of an administrator, young enough to count as fresh. */
  readonly admin: string;
  /** Of a service with every scope that both versions know. */
  readonly key: string;
  readonly newcomer: () => Account;
  /** A part of names that nothing else has. */
  readonly unique: () => string;
};

export type Step = { readonly name: string; readonly run: (stage: Stage) => Promise<void> };

export async function login(
  server: Server,
  { userName }: Account,
  password = userPassword,
  key?: string,
): Promise<Tokens> {
  const body = { userName, password };
  return call(server, '/v1/auth/login', { method: 'POST', body, ...(key && { key }) });
}

export const refresh = (server: Server, { refreshToken }: Tokens, expect = 200): Promise<Tokens> =>
  call(server, '/v1/auth/refresh', { method: 'POST', body: { refreshToken }, expect });

/** Somebody with a session of each of the two replicas. */
export async function signedIn({ at, other, board, newcomer }: Stage, label: string) {
  const account = newcomer();
  const own = await login(at, account);
  const foreign = await login(other, account);
  board.good(`${label}: own session`, own.accessToken);
  board.good(`${label}: session of the other version`, foreign.accessToken);
  return { account, own, foreign, both: [own.accessToken, foreign.accessToken] };
}

export const patch = (server: Server, token: string, id: string, body: unknown, expect = 200): Promise<any> =>
  call(server, `/v1/users/${id}`, { method: 'PATCH', token, body, expect });
