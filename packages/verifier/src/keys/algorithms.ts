/** Signatures by asymmetric keys only (RFC 7518 §3.1, RFC 8037, RFC 9864): no HMAC, no `none`. */
export const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const;
export type Algorithm = (typeof algorithms)[number];

const rsa: ReadonlySet<string> = new Set(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']);
const byCurve: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

/** What a public key of a JWK set may be used for. */
export type PublicJwk = {
  readonly kty: 'EC' | 'OKP' | 'RSA';
  readonly kid: string | undefined;
  readonly crv: string | undefined;
  readonly alg: string | undefined;
};

/**
 * Whether the key may check a signature by the algorithm: the key decides, never the token alone
 * (RFC 8725 §3.1).
 */
export function isForAlgorithm({ kty, crv = '', alg }: PublicJwk, algorithm: string): boolean {
  if (alg !== undefined && alg !== algorithm) return false;
  if (kty === 'RSA') return rsa.has(algorithm);
  return Object.hasOwn(byCurve, crv) && (byCurve[crv]?.includes(algorithm) ?? false);
}
