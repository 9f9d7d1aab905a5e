import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { SharedSettingsService, SigningKeysService } from '#libs/auth';
import { refuseHashingWhenFull } from '#libs/security/passwords';
import { AccessGuard } from '#libs/platform/access';
import type { Config } from '#libs/platform/config';
import type { MasterKey } from '#libs/platform/crypto';
import { ReplicaNotifications } from '#libs/platform/database';
import { createHttpAdapter, Draining, guardBeforeBodies } from '#libs/platform/http';
import { droppedLines, type Log, NestLogger } from '#libs/platform/logging';
import { OutboxSender } from '#libs/platform/outbox';
import { MetricSources } from '#libs/platform/monitoring';
import { RateLimitGuard, RateLimitsModule } from '#libs/security/rate-limits';
import { AdminsService, type MadeAdmin } from '#libs/users';

import { AppModule } from './app.module.js';
import { OpenApiService } from './openapi/openapi.service.js';

export type Gatehouse = { readonly app: NestFastifyApplication; readonly madeAdmin: MadeAdmin | undefined };

/**
 * The service, ready to listen: schema migrated, keys and revocations loaded, first administrator
 * made.
 * @throws when the database does not answer, or the master key or the issuer does not fit it
 */
export async function createApp(config: Config, masterKey: MasterKey, log: Log): Promise<Gatehouse> {
  const adapter = createHttpAdapter(log, config);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, masterKey), adapter, {
    logger: new NestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  refuseHashingWhenFull(app);
  const access = app.get(AccessGuard);
  const isBodyNeeded = access.isBodyNeeded.bind(access);
  guardBeforeBodies(app, { guards: [access, app.get(RateLimitGuard)], isBodyNeeded });
  const draining = app.get(Draining);
  adapter.getInstance().addHook('onSend', (_request, reply, payload, done) => {
    // clients with a kept-alive connection go elsewhere with their next request; so do those that
    // were being served
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
    const madeAdmin = await app.get(AdminsService).ensureFirst();
    app.get(OutboxSender).start();
    return { app, madeAdmin };
  } catch (error) {
    await app.close();
    throw error;
  }
}
