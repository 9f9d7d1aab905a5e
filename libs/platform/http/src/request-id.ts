import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Letters, digits and the few marks that ids are made of: nothing that could break a log line or a header. */
const sane = /^[A-Za-z0-9._:+/=@-]{1,128}$/;

/** `X-Request-Id` of the caller if it is sane, else a new UUID. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && sane.test(given) ? given : randomUUID();
}
