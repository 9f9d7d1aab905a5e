import type { IncomingHttpHeaders } from 'node:http';

import { AppError } from '#libs/platform/errors';

export type ServiceKey = { readonly name: string; readonly secret: string };

/**
 * The access token of `Authorization: Bearer` (RFC 6750 §2.1); the scheme is case-insensitive (RFC
 * 9110 §11.1).
 */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  if (headers.authorization === undefined) return undefined;
  const token = findBearerToken(headers);
  if (token === undefined)
    throw new AppError('invalid-token', { detail: 'Send `Authorization: Bearer <access token>`.' });
  return token;
}

/** The same, where other credentials may stand in its place. */
export const findBearerToken = ({ authorization }: IncomingHttpHeaders): string | undefined =>
  authorization === undefined ? undefined : /^bearer +([^\s]+) *$/i.exec(authorization)?.[1];

type ReadKey = (headers: IncomingHttpHeaders) => ServiceKey | undefined;

/**
 * Guards ask twice about a request with a body, and for each field of GraphQL: the same head gives
 * the same object, by which a `ServiceVerifier` knows what it has verified.
 */
export function oncePerHead(read: ReadKey): ReadKey {
  const known = new WeakMap<IncomingHttpHeaders, ServiceKey>();
  return (headers) => {
    const kept = known.get(headers);
    if (kept) return kept;
    const key = read(headers);
    if (key) known.set(headers, key);
    return key;
  };
}

/**
 * `X-Service-Key: <name>.<secret>`. A bare name is no key; with `X-Service-Name` both must agree.
 * @throws AppError `invalid-service-key`
 */
export const parseServiceKey = oncePerHead((headers) => {
  const { 'x-service-key': key, 'x-service-name': named } = headers;
  if (key === undefined && named === undefined) return undefined;
  const match = /^([a-z][a-z0-9-]{1,62})\.([A-Za-z0-9_-]{1,128})$/.exec(String(key ?? ''));
  const [, name, secret] = match ?? [];
  if (name === undefined || secret === undefined || (named !== undefined && named !== name)) {
    throw new AppError('invalid-service-key');
  }
  return { name, secret };
});
