import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type preParsingHookHandler,
} from 'fastify';

import { clientAddressFinder } from '#libs/platform/access';
import type { Config } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import type { Log } from '#libs/platform/logging';

import { registerBodyParsers } from '../body/body-parsers.js';
import { limitBodyTime } from '../body/body-timeout.js';
import { answerClientError } from '../problems/client-error.js';
import { limitConnections } from './connection-watch.js';
import { assertNotEncoded, takesBody } from '../body/content-negotiation.js';
import { allowOrigins } from './cors.js';
import { toHttpLayerError } from '../problems/http-layer-error.js';
import { shedWhenLate } from './overload.js';
import { answerFailure } from '../problems/problem.filter.js';
import { setPublicPath } from '../routes/public-path.js';
import { discardBody } from '../body/discard-body.js';
import { refuseTooLarge } from './early-refusals.js';
import { requestIdOf } from '../log/request-ids.js';
import { logRequest, statusOf } from '../log/request-log.js';
import { countRefusal, requestObservers } from '../log/request-observers.js';
import { hostFault, toOriginForm } from '../routes/request-target.js';
import { trackRoutes } from '../routes/route-table.js';
import { securityHeaders } from './security-headers.js';
import { sendProblem } from '../problems/send-problem.js';

const bodyLimitBytes = 16 * 1024;
const headerLimitBytes = 16 * 1024;
const paramLimit = 512;
const headersTimeoutMs = 8_000;
/** Longer than the idle time-out of common load balancers (60 s), so that they close first. */
const keepAliveTimeoutMs = 65_000;
/**
 * So long nothing may move on a connection with a request: its client reads no answer. Handlers
 * answer in less.
 */
const stalledMs = 30_000;

type Settings = Pick<
  Config,
  | 'PUBLIC_URL'
  | 'TRUST_PROXY'
  | 'CORS_ORIGINS'
  | 'MAX_CONNECTIONS'
  | 'MAX_CONNECTIONS_PER_ADDRESS'
  | 'MAX_LOOP_DELAY_MS'
>;

/** The HTTP server with all that happens before a route is found and after it has answered. */
export function createHttpAdapter(log: Log, settings: Settings): FastifyAdapter {
  const adapter = new FastifyAdapter({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // a child logger for each request costs more than naming its id in its one line
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: bodyLimitBytes,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionTimeout: stalledMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    skipMiddie: true,
    multipart: false,
    routerOptions: { maxParamLength: paramLimit },
    // Node looks at its time-outs every 30 s by default, which lets slow clients hold their sockets
    http: {
      maxHeaderSize: headerLimitBytes,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: 1_000,
      // Node would answer without a body: the hook below does it
      requireHostHeader: false,
    },
    rewriteUrl: toOriginForm,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: (error, socket) => {
      const refusal = answerClientError(error, socket);
      if (!refusal) return;
      countRefusal(adapter.getInstance(), refusal.errorCode);
      log.info({ ...refusal, ip: socket.remoteAddress }, 'request refused by the HTTP parser');
    },
  });
  limitConnections(adapter.getInstance(), settings);
  prepareServer(adapter.getInstance(), settings);
  refuseTooLarge(adapter.getInstance(), bodyLimitBytes);
  shedWhenLate(adapter.getInstance(), settings.MAX_LOOP_DELAY_MS);
  allowOrigins(adapter.getInstance(), settings.CORS_ORIGINS);
  return adapter;
}

function prepareServer(server: FastifyInstance, { PUBLIC_URL, TRUST_PROXY }: Settings): void {
  setPublicPath(server, PUBLIC_URL);
  const clientAddressOf = clientAddressFinder(TRUST_PROXY);
  server.decorate('clientAddressOf', clientAddressOf);
  server.decorateRequest('clientAddress', '');
  server.decorateRequest('principal', undefined);
  server.decorateRequest('askAgain', undefined);
  server.decorateRequest('handlerName', undefined);
  server.decorateRequest('isAdmitted', false);
  server.decorateRequest('errorCode', undefined);
  server.decorateRequest('traceId', undefined);
  server.decorateRequest('operationName', undefined);
  trackRoutes(server);
  registerBodyParsers(server);
  limitBodyTime(server);
  // an expectation that we do not know may be ignored (RFC 9110 §10.1.1); Node would answer 417
  // without a body
  server.server.on('checkExpectation', (request, response) => void server.server.emit('request', request, response));
  server.addHook('onRoute', (route) => {
    if (route.config?.bodyLimit) route.bodyLimit = route.config.bodyLimit;
    route.errorHandler ??= answerFailure;
    if (takesBody(route)) route.preParsing = [refuseEncoded];
  });
  const observers = requestObservers(server);
  server.addHook('onRequest', (request, reply, done) => {
    request.clientAddress = clientAddressOf(request.raw);
    prepareReply(request, reply);
    // Fastify's onResponse does not run for a client that hangs up before it has its answer
    reply.raw.once('close', () => {
      discardBody(request.raw);
      logRequest(request, reply);
      for (const observe of observers) observe(request, reply, statusOf(reply));
    });
    const fault = hostFault(request.raw);
    if (fault !== undefined) done(new AppError('bad-request', { detail: fault }));
    else if (hasBadQuery(request.url)) done(new AppError('invalid-url'));
    else done();
  });
}

function prepareReply(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers(securityHeaders).header('x-request-id', request.id);
}

const refuseEncoded: preParsingHookHandler = (request, _reply, _payload, done) => {
  assertNotEncoded(request);
  done();
};

/** Fastify passes a broken percent-encoding in a query on as it stands. */
function hasBadQuery(url: string): boolean {
  const start = url.indexOf('?');
  if (start === -1 || !url.includes('%', start)) return false;
  try {
    return decodeURIComponent(url.slice(start)).includes('\0');
  } catch {
    return true;
  }
}

/** The router refuses some URLs before any hook runs. */
function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  prepareReply(request, reply);
  const refusal = toHttpLayerError(error) ?? new AppError('bad-request', { cause: error });
  sendProblem(refusal, request, reply);
  countRefusal(request.server, refusal.code);
  request.log.info({ requestId: request.id, errorCode: request.errorCode }, 'request refused by the router');
}
