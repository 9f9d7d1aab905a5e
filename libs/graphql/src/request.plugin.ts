import type { ApolloServerPlugin, GraphQLRequestContextDidResolveOperation, GraphQLResponse } from '@apollo/server';
import { Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';

import type { RequestContext } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { toPublicPath } from '#libs/platform/http';

import { failureOf, refusal } from './graphql-errors.js';
import { countRootField, errorLimit, queryLimits, QueryMeter } from './limits/query-limits.js';

type Resolved = GraphQLRequestContextDidResolveOperation<RequestContext>;

const logger = new Logger('Problem');
const operationNameLimit = 64;

/** Limits each request, logs its errors, and tells its id in them. */
export const requestPlugin: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async (context) => {
      context.contextValue.request.operationName = context.operationName?.slice(0, operationNameLimit);
      assertHasRootType(context);
      assertWithinLimits(context);
      assertOneIdempotentField(context);
    },
    didEncounterErrors: async ({ errors, contextValue }) => {
      for (const error of errors) noteError(error, contextValue);
    },
    willSendResponse: async ({ response: { body }, contextValue }) => completeErrors(body, contextValue),
  }),
};

/** The schema has no subscriptions, which neither the parser nor the validation finds. */
function assertHasRootType({ schema, operation }: Resolved): void {
  if (!operation || schema.getRootType(operation.operation)) return;
  throw refusal('invalid-query', `There are no ${operation.operation}s here.`);
}

function assertWithinLimits({ document, operation, schema, request }: Resolved): void {
  if (!operation) return;
  const { depth, cost } = new QueryMeter(schema, document, request.variables ?? {}).measure(operation);
  for (const [what, asked, limit] of [
    ['levels of fields', depth, queryLimits.depth],
    ['objects that it may answer', cost, queryLimits.cost],
  ] as const) {
    if (asked > limit) {
      throw refusal('query-too-costly', `The query has ${asked} ${what}; ${limit} are allowed.`);
    }
  }
}

/** The header `Idempotency-Key` names one change: with several it could not say which. */
function assertOneIdempotentField({ document, operation, contextValue }: Resolved): void {
  if (!operation || contextValue.request.headers['idempotency-key'] === undefined) return;
  for (const field of ['createUser', 'invite']) {
    const asked = countRootField(document, operation, field);
    if (asked <= 1) continue;
    const detail = `An operation with \`Idempotency-Key\` takes one \`${field}\`; this one has ${asked}.`;
    throw refusal('invalid-idempotency-key', detail);
  }
}

/** Gives an error to the request's log line and to the headers of the answer, as REST does. */
function noteError(error: GraphQLError, { request, reply }: RequestContext): void {
  const failure = failureOf(error, error.extensions['code']);
  request.errorCode ??= failure.code;
  const retryAfter = failure.options.headers?.['retry-after'];
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  // the filter of exceptions has already logged what it turned into an `AppError`
  if (failure.status >= 500 && !(error.originalError instanceof AppError)) {
    logger.error({ requestId: request.id, code: failure.code, err: failure.cause ?? error });
  }
}

function completeErrors(body: GraphQLResponse['body'], { request }: RequestContext): void {
  if (body.kind !== 'single') return;
  const { errors, data } = body.singleResult;
  // with data each error belongs to a field of the answer; without it a few errors say enough
  const told = data === undefined ? errors?.slice(0, errorLimit) : errors;
  if (!told) return;
  body.singleResult.errors = told.map((error) => withRequest(error, request));
}

const withRequest = (error: GraphQLFormattedError, request: FastifyRequest): GraphQLFormattedError => ({
  ...error,
  extensions: { ...error.extensions, instance: toPublicPath(request, '/graphql'), requestId: request.id },
});
