import { VerifyError, type VerifyErrorCode } from './verify-error.js';

/** An answer to a request whose token was refused: a problem document (RFC 9457). */
export type ProblemAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly title: string;
    readonly status: number;
    readonly code: VerifyErrorCode;
  };
};

/** What is unavailable is soon there again, or asked of another replica. */
const retryAfterSeconds = '1';

/** What to answer to an error of `verify`; nothing when it is another error. */
export function problemOf(error: unknown): ProblemAnswer | undefined {
  if (!(error instanceof VerifyError)) return undefined;
  const { status, code, description, wwwAuthenticate } = error;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(wwwAuthenticate === undefined
        ? { 'retry-after': retryAfterSeconds }
        : { 'www-authenticate': wwwAuthenticate }),
    },
    body: { title: description, status, code },
  };
}
