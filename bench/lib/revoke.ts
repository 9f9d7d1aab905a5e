import type { Account, Tokens } from './accounts.ts';
import { jsonRequest } from './connection.ts';

/** A signed-in account whose trust is about to end. */
export type Victim = { readonly account: Account; readonly tokens: Tokens };

type Kind = { readonly name: string; readonly request: (victim: Victim, adminToken: string) => string };

/** The ways by which trust ends. */
export const kinds: readonly Kind[] = [
  {
    name: 'logout',
    request: ({ tokens }) => jsonRequest('POST', '/v1/auth/logout', undefined, tokens.accessToken),
  },
  {
    name: 'logout-all',
    request: ({ tokens }) => jsonRequest('POST', '/v1/auth/logout-all', undefined, tokens.accessToken),
  },
  {
    name: 'deactivate',
    request: ({ account }, admin) => jsonRequest('PATCH', `/v1/users/${account.id}`, { status: 'deactivated' }, admin),
  },
  {
    name: 'roles changed',
    request: ({ account }, admin) =>
      jsonRequest('PATCH', `/v1/users/${account.id}`, { roles: ['user', 'admin'] }, admin),
  },
  {
    name: 'delete',
    request: ({ account }, admin) => jsonRequest('DELETE', `/v1/users/${account.id}`, undefined, admin),
  },
];

/** Times are those after the 2xx of the revoking replica, in milliseconds; 0 when nothing was accepted after it. */
export type Measured = {
  /** When the last accepted request was begun: what the promise is about. */
  readonly lastAcceptBegunMs: number;
  /** When its answer came: also counts requests that were under way. */
  readonly lastAcceptAnsweredMs: number;
  readonly revokeMs: number;
  /** Answers of the other replica that were neither an accept nor 401. */
  readonly failed: number;
  /** Requests begun after the 2xx. */
  readonly polls: number;
};
