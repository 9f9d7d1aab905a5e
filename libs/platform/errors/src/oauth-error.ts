import type { AppError } from './app-error.js';
import type { ErrorCode } from './error-codes.js';

/** RFC 6749 §5.2, RFC 6750 §3.1 and RFC 8707 §2; our own members stand beside. */
export type OAuthError = {
  readonly error: string;
  readonly error_description: string;
  readonly code: string;
  readonly requestId: string;
};

/** Codes of ours that have a name there; all others go by their status. */
const byCode: Readonly<Partial<Record<ErrorCode, string>>> = {
  'invalid-scope': 'invalid_scope',
  'invalid-target': 'invalid_target',
  'invalid-token': 'invalid_token',
  'unsupported-grant-type': 'unsupported_grant_type',
};
const byStatus: Readonly<Record<number, string>> = {
  401: 'invalid_client',
  403: 'insufficient_scope',
  429: 'temporarily_unavailable',
  500: 'server_error',
  503: 'temporarily_unavailable',
};

export function toOAuthError(error: AppError, requestId: string): OAuthError {
  return {
    error: byCode[error.code] ?? byStatus[error.status] ?? 'invalid_request',
    error_description: describe(error),
    code: error.code,
    requestId,
  };
}

/** The refused fields where there are any, in the characters that RFC 6749 §5.2 allows. */
function describe({ message, options: { errors } }: AppError): string {
  const text = errors?.map((fault) => `${fault.path}: ${fault.message}`).join('; ') ?? message;
  return text.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7E]/g, '?');
}
