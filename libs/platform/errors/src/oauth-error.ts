import type { AppError } from './app-error.js';

/** RFC 6749 §5.2 and RFC 6750 §3.1; our own members stand beside. */
export type OAuthError = {
  readonly error: string;
  readonly error_description: string;
  readonly code: string;
  readonly requestId: string;
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
    error: byStatus[error.status] ?? 'invalid_request',
    error_description: error.message,
    code: error.code,
    requestId,
  };
}
