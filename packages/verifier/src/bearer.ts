/**
 * The token of an `Authorization` header (RFC 6750 §2.1, RFC 9110 §11.4): the scheme has no case.
 * @returns nothing for another scheme, or none
 */
export function readBearer(header: string | undefined): string | undefined {
  const [, token] = /^Bearer +(\S.*)$/i.exec(header ?? '') ?? [];
  return token;
}
/** Parameters of a challenge (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1). */
type ChallengeParameters = Readonly<
  Record<'error' | 'error_description' | 'scope' | 'max_age' | 'resource_metadata', string | undefined>
>;

/** Value of `WWW-Authenticate` for a bearer token; parameters without a value are left out. */
export function challenge(parameters: ChallengeParameters): string {
  const written = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return ['Bearer', written.join(', ')].filter((part) => part !== '').join(' ');
}

/** quoted-string of RFC 9110 §5.6.4. Other than printable ASCII could end the header. */
const quoted = (value: string): string =>
  `"${value.replaceAll(/[^\u0020-\u007e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
