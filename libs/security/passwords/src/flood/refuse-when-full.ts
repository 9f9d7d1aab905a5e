import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { Draining, hashingRoute, refuseBeforeRouting, sendProblem } from '#libs/platform/http';
import { overloaded } from '#libs/platform/queues';

import { Passwords } from '../passwords.js';

/**
 * While the queue for password hashes is full, requests to routes that hash are refused before they
 * are routed. Under a flood of logins a refusal must cost next to nothing: no body is read, nothing
 * is looked up, no error is thrown.
 */
export function refuseHashingWhenFull(app: NestFastifyApplication): void {
  const { queue } = app.get(Passwords);
  const draining = app.get(Draining);
  const server = app.getHttpAdapter().getInstance();
  const countRefused = (): void => {
    queue.refused++;
  };
  refuseBeforeRouting(server, {
    refusedRoute: (request) => (queue.isFull && !draining.isDraining ? hashingRoute(server, request) : undefined),
    refusal: overloaded,
    onRefused: countRefused,
  });
  // what must be routed first, such as requests of a browser's page of another origin
  server.addHook('onRequest', (request, reply, done) => {
    if (!queue.isFull || request.routeOptions.config.hashesPassword !== true) {
      done();
      return;
    }
    countRefused();
    sendProblem(overloaded, request, reply);
  });
}
