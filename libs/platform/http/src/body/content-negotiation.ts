import type { FastifyRequest, RouteOptions } from 'fastify';

import { AppError } from '#libs/platform/errors';

import { hasBody } from './body-timeout.js';

/** What a route takes that does not say so in its `consumes`. */
const preset = ['application/json'];

/**
 * Refuses bodies in a content coding that the route does not name in its `contentCodings`: by
 * default none. `identity` is no coding, though RFC 9110 §8.4.1 would not have it sent. What would
 * be taken is said as RFC 9110 §15.5.16 asks for.
 */
export function assertNotEncoded({ raw, routeOptions: { config } }: FastifyRequest): void {
  const coding = raw.headers['content-encoding'];
  if (coding === undefined || !hasBody(raw)) return;
  const names = coding
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const taken = config.contentCodings ?? [];
  if (names.length === 0 || (names.length === 1 && taken.includes(names[0] ?? ''))) return;
  const detail =
    taken.length === 0
      ? 'Bodies are taken as they are: send this one without `Content-Encoding`.'
      : `Send this body as it is, or in one of the codings ${taken.join(', ')}.`;
  const headers = { 'accept-encoding': [...taken, 'identity'].join(', ') };
  throw new AppError('unsupported-media-type', { detail, headers });
}

/**
 * @throws AppError for a text in another encoding, under whatever name it is known (WHATWG Encoding
 * §4.2)
 */
export function assertUtf8({ headers }: FastifyRequest): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset === undefined || isUtf8(charset)) return;
  throw new AppError('unsupported-media-type', { detail: 'Only UTF-8 is taken.' });
}

function isUtf8(label: string): boolean {
  if (label.toLowerCase() === 'utf-8') return true;
  try {
    return new TextDecoder(label).encoding === 'utf-8';
  } catch {
    return false;
  }
}

/**
 * Adds to a 415 which content types the route takes, unless it says already what is wrong (RFC 9110
 * §15.5.16).
 */
export function withTakenTypes(error: AppError, { routeOptions: { config }, method }: FastifyRequest): AppError {
  if (error.code !== 'unsupported-media-type' || error.options.detail !== undefined) return error;
  const types = config.consumes ?? (method === 'PATCH' ? [...preset, 'application/merge-patch+json'] : preset);
  const detail = `This address does not take this content type. Send ${types.map((type) => `\`${type}\``).join(' or ')}.`;
  return new AppError(error.code, { ...error.options, detail, headers: { accept: types.join(', ') } });
}

const bodyless = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a route may take a body. */
export const takesBody = ({ method }: RouteOptions): boolean => [method].flat().some((name) => !bodyless.has(name));
