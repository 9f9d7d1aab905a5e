/** In bytes. With it a token fits into 8 KB of headers, which proxies take. */
const mostBytesInToken = 4_096;

/**
 * Whether permissions add at most 4 KB to a token. It is checked where they are granted, never at a
 * login.
 */
export function fitsToken(permissions: readonly string[]): boolean {
  // claims are JSON in base64url: three bytes make four
  return Math.ceil((Buffer.byteLength(JSON.stringify(permissions)) * 4) / 3) <= mostBytesInToken;
}

/** What roles permit together, each once. Roles that are not known permit nothing. */
export const unionOf = (
  roles: readonly string[],
  permissionsOf: ReadonlyMap<string, readonly string[]>,
): readonly string[] => [...new Set(roles.flatMap((name) => permissionsOf.get(name) ?? []))].toSorted();
