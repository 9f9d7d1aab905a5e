import type { FastifyRequest } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { findBearerToken, oncePerHead, parseServiceKey, type ServiceKey } from './credentials.js';

/**
 * The service that an OAuth endpoint is asked by, through `X-Service-Key`, HTTP Basic or the form.
 * One request uses one way (RFC 6749 §2.3). Nothing when there is none but a bearer token.
 * @throws AppError `invalid-service-key`, `invalid-request` for more than one way
 */
export function clientCredentials({ headers, body }: FastifyRequest): ServiceKey | undefined {
  const named = headers['x-service-name'];
  const isBearer = findBearerToken(headers) !== undefined;
  const basic = isBearer ? undefined : fromBasic(headers);
  // the name alone is no key here: it may stand beside another way
  const key = headers['x-service-key'] === undefined ? undefined : parseServiceKey(headers);
  const ways = [key, basic, fromForm(body)].filter((way) => way !== undefined);
  const [given] = ways;
  if (!given && isBearer && named === undefined) return undefined;
  if (!given || (named !== undefined && named !== given.name)) throw new AppError('invalid-service-key');
  if (ways.length > 1) throw new AppError('invalid-request', { detail: 'Authenticate in one way, not in several.' });
  return given;
}

/** Whether a client has tried to prove itself in the head of a request. */
export const hasClientHeaders = ({ headers }: FastifyRequest): boolean =>
  headers.authorization !== undefined || headers['x-service-key'] !== undefined;

/** `client_secret_basic`: both halves are form-encoded before they are joined (RFC 6749 §2.3.1). */
const fromBasic = oncePerHead(({ authorization }) => {
  if (authorization === undefined) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw new AppError('invalid-service-key');
  const [, name, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (name === undefined || secret === undefined) throw new AppError('invalid-service-key');
  return { name: formDecoded(name), secret: formDecoded(secret) };
});

/** `client_secret_post`. Guards see the body before its schema does. */
function fromForm(body: unknown): ServiceKey | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { client_id: name = '', client_secret: secret }: { client_id?: unknown; client_secret?: unknown } = body;
  return typeof secret === 'string' ? { name: String(name), secret } : undefined;
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new AppError('invalid-service-key', { cause });
  }
}
