import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { SharedSettingsService, SigningKeysService } from '#libs/auth';
import { PasswordHasher } from '#libs/security/passwords';
import { AccessGuard } from '#libs/platform/access';
import type { Config } from '#libs/platform/config';
import type { MasterKey } from '#libs/platform/crypto';
import { ReplicaNotifications } from '#libs/platform/database';
import {
  createHttpAdapter,
  Draining,
  guardBeforeBodies,
  hashingRoute,
  refuseBeforeRouting,
  sendProblem,
} from '#libs/platform/http';
import { droppedLines, type Log, NestLogger } from '#libs/platform/logging';
import { MetricSources } from '#libs/platform/monitoring';
import { LoopRest, overloaded } from '#libs/platform/queues';
import { RateLimitGuard, RateLimitsModule } from '#libs/security/rate-limits';
import { AdminsService, type MadeAdmin } from '#libs/users';

import { AppModule } from './app.module.js';
import { OpenApiService } from './openapi/openapi.service.js';

export type Gatehouse = { readonly app: NestFastifyApplication; readonly madeAdmin: MadeAdmin | undefined };

/**
 * The service, ready to listen: schema migrated, keys and revocations loaded, first administrator made.
 * @throws when the database does not answer, or the master key or the issuer does not fit it
 */
export async function createApp(config: Config, masterKey: MasterKey, log: Log): Promise<Gatehouse> {
  const adapter = createHttpAdapter(log, config);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, masterKey), adapter, {
    logger: new NestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  refuseWhenFull(app);
  const access = app.get(AccessGuard);
  const isBodyNeeded = access.isBodyNeeded.bind(access);
  guardBeforeBodies(app, { guards: [access, app.get(RateLimitGuard)], isBodyNeeded });
  const draining = app.get(Draining);
  adapter.getInstance().addHook('onSend', (_request, reply, payload, done) => {
    // clients with a kept-alive connection go elsewhere with their next request; so do those that were being served
    if (draining.isDraining) void reply.header('connection', 'close');
    done(null, payload);
  });
  app.get(OpenApiService).describe(app);
  app.get(MetricSources).register({
    name: 'log_lines_dropped_total',
    help: 'Lines of the log that were thrown away because nobody read standard output',
    kind: 'counter',
    read: () => droppedLines(log),
  });
  try {
    await app.init();
    await app.get(SharedSettingsService).ensure();
    await app.get(SigningKeysService).ensure();
    await app.get(ReplicaNotifications).start();
    await app.get(RateLimitsModule).start();
    return { app, madeAdmin: await app.get(AdminsService).ensureFirst() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Under a flood of logins a refusal must cost next to nothing: no body read, no look-up made, no error thrown. */
function refuseWhenFull(app: NestFastifyApplication): void {
  const { queue } = app.get(PasswordHasher);
  const draining = app.get(Draining);
  const server = app.getHttpAdapter().getInstance();
  const rest = new LoopRest(queue);
  const countRefused = (): void => {
    queue.refused++;
    rest.begin();
  };
  refuseBeforeRouting(server, {
    refusedRoute: (request) => (queue.isFull && !draining.isDraining ? hashingRoute(server, request) : undefined),
    refusal: overloaded,
    onRefused: countRefused,
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (!queue.isFull || request.routeOptions.config.hashesPassword !== true) {
      done();
      return;
    }
    countRefused();
    sendProblem(overloaded, request, reply);
  });
}
