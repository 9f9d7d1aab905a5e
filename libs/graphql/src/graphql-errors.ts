import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import { AppError, type ErrorCode, toProblem } from '#libs/platform/errors';
import { toFailure } from '#libs/platform/http';

/** Our codes for the errors that Apollo's server finds itself. */
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

/** @param apolloCode the code that Apollo's server gave to the error */
export function failureOf(error: unknown, apolloCode: unknown): AppError {
  const cause = causeOf(error);
  if (!(cause instanceof GraphQLError)) return toFailure(cause);
  const code = typeof apolloCode === 'string' ? byApolloCode[apolloCode] : undefined;
  if (code) return new AppError(code, { detail: cause.message });
  // graphql-js names the place in the query when an argument is at fault, and none for our values
  return cause.nodes
    ? new AppError('invalid-request', { detail: cause.message })
    : new AppError('internal-error', { cause: error });
}

/** What a resolver threw, or the innermost error of GraphQL's own. */
function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : error;
}

/** A refusal before anything is executed, with the status of its code. */
export function refusal(code: ErrorCode, detail: string): GraphQLError {
  const originalError = new AppError(code, { detail });
  return new GraphQLError(detail, { originalError, extensions: { http: { status: originalError.status } } });
}
