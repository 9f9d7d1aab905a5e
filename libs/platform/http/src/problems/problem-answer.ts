import { type AppError, toOAuthError, toProblem } from '#libs/platform/errors';

type Occasion = {
  /** Without its query, which may hold personal data. */
  readonly path: string;
  readonly requestId: string;
  /** Errors look as RFC 6749 §5.2 has them where this is set. */
  readonly errorFormat?: 'oauth' | undefined;
};
type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Challenges of RFC 6750 §3: the error is named only when a token was given. */
const bearer = (error: AppError): string =>
  error.code === 'invalid-token' ? 'Bearer realm="gatehouse", error="invalid_token"' : 'Bearer realm="gatehouse"';

/**
 * Writes the answer to an error, wherever it is met: a problem document (RFC 9457), or OAuth's
 * form.
 */
export function problemAnswer(error: AppError, { path, requestId, errorFormat }: Occasion): Answer {
  const isOAuth = errorFormat === 'oauth';
  // RFC 7662 §2.3: a token that the caller may not use is refused like anywhere else
  const isClient = isOAuth && error.code !== 'invalid-token';
  const challenge = isClient ? 'Basic realm="gatehouse"' : bearer(error);
  return {
    status: error.status,
    headers: {
      ...(error.status === 401 && { 'www-authenticate': challenge }),
      ...error.options.headers,
      'content-type': `${isOAuth ? 'application/json' : 'application/problem+json'}; charset=utf-8`,
    },
    body: JSON.stringify(isOAuth ? toOAuthError(error, requestId) : toProblem(error, { path, requestId })),
  };
}
