import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { ErrorCode } from '#libs/platform/errors';

/**
 * Called once for each request, when its answer has gone out or its client has; `status` as in the
 * log.
 */
export type RequestObserver = (request: FastifyRequest, reply: FastifyReply, status: number) => void;

type Observed = { readonly observers: RequestObserver[]; readonly refusals: Map<ErrorCode, number> };

const byServer = new WeakMap<object, Observed>();

function observed({ server }: Pick<FastifyInstance, 'server'>): Observed {
  const known = byServer.get(server) ?? { observers: [], refusals: new Map() };
  byServer.set(server, known);
  return known;
}

/** A hook of its own would cost each request more than a call in the one that writes its line. */
export function observeRequests(server: FastifyInstance, observer: RequestObserver): void {
  observed(server).observers.push(observer);
}

/** The observers of a server, to be kept: those that come later are in it too. */
export const requestObservers = (server: FastifyInstance): readonly RequestObserver[] => observed(server).observers;

/** What the parser or the router refused never becomes a request that could be observed. */
export function countRefusal(server: FastifyInstance, code: ErrorCode): void {
  const { refusals } = observed(server);
  refusals.set(code, (refusals.get(code) ?? 0) + 1);
}

/** How many requests the parser or the router refused, by code. */
export const refusalsOf = (server: FastifyInstance): ReadonlyMap<ErrorCode, number> => observed(server).refusals;
