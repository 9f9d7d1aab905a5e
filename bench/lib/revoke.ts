import type { Account, Tokens } from './accounts.ts';
import { formRequest, jsonRequest } from './connection.ts';

/** A signed-in account whose trust is about to end. */
export type Victim = { readonly account: Account; readonly tokens: Tokens };

/** Who ends the trust of others. */
export type By = { readonly admin: string; readonly serviceKey: string };
type Kind = { readonly name: string; readonly request: (victim: Victim, by: By) => string };

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
    request: ({ account }, { admin }) =>
      jsonRequest('PATCH', `/v1/users/${account.id}`, { status: 'deactivated' }, admin),
  },
  {
    name: 'roles changed',
    request: ({ account }, { admin }) =>
      jsonRequest('PATCH', `/v1/users/${account.id}`, { roles: ['user', 'admin'] }, admin),
  },
  {
    name: 'delete',
    request: ({ account }, { admin }) => jsonRequest('DELETE', `/v1/users/${account.id}`, undefined, admin),
  },
  {
    name: 'session ended by an administrator',
    request: ({ account, tokens }, { admin }) =>
      jsonRequest('DELETE', `/v1/auth/sessions/${tokens.sessionId}?userId=${account.id}`, undefined, admin),
  },
  {
    name: 'password set by an administrator',
    request: ({ account }, { admin }) =>
      jsonRequest('PUT', `/v1/users/${account.id}/password`, { password: 'bench-Another-1973' }, admin),
  },
  {
    name: 'access token revoked (RFC 7009)',
    request: ({ tokens }, { serviceKey }) => formRequest('/v1/auth/revoke', { token: tokens.accessToken }, serviceKey),
  },
  {
    name: 'refresh token revoked (RFC 7009)',
    request: ({ tokens }, { serviceKey }) => formRequest('/v1/auth/revoke', { token: tokens.refreshToken }, serviceKey),
  },
];

/**
 * Times are those after the 2xx of the revoking replica, in milliseconds; 0 when
 * nothing was accepted after it.
 */
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
