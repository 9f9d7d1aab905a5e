import type { Claims } from '#verifier';

/**
 * Who a good token stands for, as headers for the service behind the gateway. Every header is
 * always there, empty where there is nothing: a gateway that copies them leaves none of the
 * client's own in place. Lists have spaces between (RFC 6749 §3.3).
 */
export function identityHeaders(claims: Claims): Readonly<Record<string, string>> {
  const isPerson = claims.sid !== undefined;
  const { sub, client_id: clientId = '', roles = [], permissions = [], scope = '' } = claims;
  const userName = claims['preferred_username'];
  return {
    'x-user-id': isPerson ? encodeValue(sub) : '',
    'x-user-name': isPerson && typeof userName === 'string' ? encodeValue(userName) : '',
    'x-roles': roles.map(encodeValue).join(' '),
    'x-permissions': (isPerson ? permissions : scope.split(' ')).map(encodeValue).join(' '),
    'x-client-id': encodeValue(clientId),
  };
}

/**
 * What is no visible ASCII, and `%` itself, percent-encoded as UTF-8 (RFC 3986 §2.1): a header
 * cannot hold the rest, and nothing in a token may end one.
 */
const encodeValue = (value: string): string =>
  value.toWellFormed().replaceAll(/[^\u0021-\u0024\u0026-\u007e]/gu, encodeURIComponent);
