import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import { AppError, type ErrorCode, toProblem } from '#libs/platform/errors';
import { toFailure } from '#libs/platform/http';

/** What Apollo's server calls the faults that it finds itself. */
const byApolloCode: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: 'bad-request',
  BAD_USER_INPUT: 'invalid-request',
  GRAPHQL_PARSE_FAILED: 'malformed-query',
  GRAPHQL_VALIDATION_FAILED: 'invalid-query',
  OPERATION_RESOLUTION_FAILURE: 'invalid-query',
  PERSISTED_QUERY_NOT_SUPPORTED: 'bad-request',
};

/** The same problem as over REST: its text is the message, its other fields are the extensions. */
export function formatGraphqlError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const failure = failureOf(error, formatted.extensions?.['code']);
  const { detail, requestId: _, ...extensions } = toProblem(failure, { path: '/graphql', requestId: '' });
  const { locations, path } = formatted;
  return { message: detail, ...(locations && { locations }), ...(path && { path }), extensions };
}

/** What is answered for an error of a GraphQL request. @param apolloCode what Apollo's server says that it is */
export function failureOf(error: unknown, apolloCode: unknown): AppError {
  const cause = causeOf(error);
  if (!(cause instanceof GraphQLError)) return toFailure(cause);
  const code = typeof apolloCode === 'string' ? byApolloCode[apolloCode] : undefined;
  if (code) return new AppError(code, { detail: cause.message });
  // What graphql-js finds wrong with the query while it executes it names a place in it (an argument that must not be
  // null); what it finds wrong with a value of ours does not.
  return cause.nodes
    ? new AppError('invalid-request', { detail: cause.message })
    : new AppError('internal-error', { cause: error });
}

/** What a resolver threw, or the first error of GraphQL's own, however often it was wrapped. */
function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : error;
}

/** A refusal before anything is executed, with the status of its code. */
export function refusal(code: ErrorCode, detail: string): GraphQLError {
  const originalError = new AppError(code, { detail });
  return new GraphQLError(detail, { originalError, extensions: { http: { status: originalError.status } } });
}
