/**
 * The token of an `Authorization` header (RFC 6750 §2.1, RFC 9110 §11.4): the scheme has no case.
 * @returns nothing for another scheme, or none
 */
export function readBearer(header: string | undefined): string | undefined {
  const [, token] = /^Bearer +(\S.*)$/i.exec(header ?? '') ?? [];
  return token;
}
