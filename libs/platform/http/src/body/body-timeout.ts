import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * How long a body may take. Node's own `requestTimeout` knows one time for all requests, so it is
 * off, and its answer (408, and the connection closed) is given here, unless the handler has taken
 * the time into its own hands.
 */
const bodyTimeoutMs = 10_000;

const timers = new WeakMap<object, NodeJS.Timeout>();

export function limitBodyTime(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    if (hasBody(request.raw)) start(server, request);
    done();
  });
}

/** Whether a body follows the head of a request (RFC 9112 §6.3). */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * For routes whose bodies may take long: from now on the handler sees to it that a slow client is
 * not waited for.
 */
export function liftBodyTimeout({ raw }: FastifyRequest): void {
  clearTimeout(timers.get(raw));
  raw.emit(bodyTimeLifted);
}

/** Emitted by a request when its handler has taken the time of its body into its own hands. */
export const bodyTimeLifted = Symbol('body time lifted');

function start(server: FastifyInstance, { raw }: FastifyRequest): void {
  const timer = setTimeout(() => {
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    server.server.emit('clientError', error, raw.socket);
  }, bodyTimeoutMs);
  timers.set(raw, timer);
  const stop = (): void => clearTimeout(timer);
  raw.once('end', stop).once('close', stop);
}
