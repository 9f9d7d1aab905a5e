import { AppError } from '#libs/platform/errors';

/** In bytes. With it a token fits into 8 KB of headers, which proxies take. */
const mostBytesInToken = 4_096;

/**
 * What permissions add to a token may have 4 KB. It is checked where they are granted, never at a
 * login.
 * @throws AppError `permissions-too-large`
 */
export function assertFitsToken(permissions: readonly string[]): void {
  // claims are JSON in base64url: three bytes make four
  const bytes = Math.ceil((Buffer.byteLength(JSON.stringify(permissions)) * 4) / 3);
  if (bytes > mostBytesInToken) throw new AppError('permissions-too-large');
}
