import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * Letters, digits and the few marks that ids are made of: nothing that could break a log line or a
 * header.
 */
const sane = /^[A-Za-z0-9._:+/=@-]{1,128}$/;

/** `X-Request-Id` of the caller if it is sane, else a new UUID. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && sane.test(given) ? given : randomUUID();
}

/** W3C Trace Context §3.2: version, trace id, parent id, flags; ids of zeros are invalid. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/** The trace that the caller is in. Logged also when we send no spans of our own. */
export function traceIdOf({ traceparent: given }: IncomingHttpHeaders): string | undefined {
  return typeof given === 'string' ? traceparent.exec(given)?.[1] : undefined;
}
