import type { ApolloServerPlugin, GraphQLRequestContextDidResolveOperation } from '@apollo/server';
import { Logger } from '@nestjs/common';
import type { GraphQLError, GraphQLFormattedError, OperationDefinitionNode } from 'graphql';

import type { RequestContext } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';
import { toPublicPath } from '#libs/platform/http';

import { failureOf, refusal } from './graphql-errors.js';
import { countRootField, errorLimit, queryLimits, QueryMeter } from './limits/query-limits.js';

type Resolved = GraphQLRequestContextDidResolveOperation<RequestContext>;

const logger = new Logger('Problem');
const operationNameLimit = 64;

/** Limits, log and request id of each request. */
export const requestPlugin: ApolloServerPlugin<RequestContext> = {
  requestDidStart: () =>
    Promise.resolve({
      didResolveOperation: (context) => {
        context.contextValue.request.operationName = context.operationName?.slice(0, operationNameLimit);
        assertIsServed(context);
        assertWithinLimits(context);
        assertOneAttempt(context);
        return Promise.resolve();
      },
      didEncounterErrors: ({ errors, contextValue }) => {
        for (const error of errors) note(error, contextValue);
        return Promise.resolve();
      },
      willSendResponse: ({ response: { body }, contextValue: { request } }) => {
        if (body.kind === 'single') {
          const { errors, data } = body.singleResult;
          // Without data nothing was done, and a few faults say enough; with data each belongs to a field of the answer.
          const told = data === undefined ? errors?.slice(0, errorLimit) : errors;
          if (told) body.singleResult.errors = told.map((error) => withRequest(error, request));
        }
        return Promise.resolve();
      },
    }),
};

const withRequest = (error: GraphQLFormattedError, request: RequestContext['request']): GraphQLFormattedError => ({
  ...error,
  extensions: { ...error.extensions, instance: toPublicPath(request, '/graphql'), requestId: request.id },
});

/** Operations without variables that are within the limits; Apollo's server keeps documents that it has seen. */
const measured = new WeakSet<OperationDefinitionNode>();

/** The schema has no subscriptions, which neither the parser nor the validation finds. */
function assertIsServed({ schema, operation }: Resolved): void {
  if (!operation || schema.getRootType(operation.operation)) return;
  throw refusal('invalid-query', `There are no ${operation.operation}s here.`);
}

function assertWithinLimits(context: Resolved): void {
  const { document, operation, schema, request } = context;
  if (operation && measured.has(operation)) return;
  const meter = new QueryMeter(schema, document, request.variables ?? {});
  const { depth, cost } = operation ? meter.measure(operation) : { depth: 0, cost: 0 };
  for (const [what, asked, limit] of [
    ['levels of fields', depth, queryLimits.depth],
    ['objects that it may answer', cost, queryLimits.cost],
  ] as const) {
    if (asked > limit) {
      throw refusal('query-too-costly', `The query has ${asked} ${what}; ${limit} are allowed.`);
    }
  }
  if (operation && !operation.variableDefinitions?.length) measured.add(operation);
}

/** A header names one attempt: of several it could not say which. */
function assertOneAttempt({ document, operation, contextValue }: Resolved): void {
  if (!operation || contextValue.request.headers['idempotency-key'] === undefined) return;
  const asked = countRootField(document, operation, 'createUser');
  if (asked <= 1) return;
  const detail = `An operation with \`Idempotency-Key\` takes one \`createUser\`; this one has ${asked}.`;
  throw refusal('invalid-idempotency-key', detail);
}

/** For the log line, and as headers what a caller would get over REST; the unexpected is logged, once, here. */
function note(error: GraphQLError, { request, reply }: RequestContext): void {
  const failure = failureOf(error, error.extensions['code']);
  request.errorCode ??= failure.code;
  const retryAfter = failure.options.headers?.['retry-after'];
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  // what came through the filter is one of ours by now, and logged
  if (failure.status >= 500 && !(error.originalError instanceof AppError)) {
    logger.error({ requestId: request.id, code: failure.code, err: failure.cause ?? error });
  }
}
