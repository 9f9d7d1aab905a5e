import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';

import { overloaded } from '#libs/platform/queues';

import { sendProblem } from '../problems/send-problem.js';

/** What tells whether the process lives and how it is must be answered when it is not well. */
const neverShed = /^\/(health\/|metrics$)/;

/**
 * Refuses requests while the event loop is later than `maxLoopDelayMs` on average over a second:
 * those that are let in are then answered in time, where all of them would have been too late.
 */
export function shedWhenLate(server: FastifyInstance, maxLoopDelayMs: number): void {
  if (maxLoopDelayMs === 0) return;
  void server.register(underPressure, {
    maxEventLoopDelay: maxLoopDelayMs,
    pressureHandler: (request, reply, _, delayMs) => {
      // Infinity stands for "no sample yet", as in the first second after a start that kept the
      // loop busy
      const isLate = Number.isFinite(delayMs) && !neverShed.test(request.routeOptions.url ?? '');
      if (isLate) sendProblem(overloaded, request, reply);
    },
  });
}
