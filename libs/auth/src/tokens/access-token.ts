import { z } from 'zod';

import { ownClientId, type Principal, type UserPrincipal } from '#libs/platform/access';
import type { TokenFacts } from '#libs/security/revocation';

export const accessTokenType = 'at+jwt';
export const algorithm = 'ES256';
/** Clocks of replicas may differ by this much. A token from further ahead would outlive the revocations of today. */
export const clockSkewSeconds = 60;

/** Seconds since 1970 as a whole number: `1e400` is `Infinity`, and a `typeof` check would let it pass. */
const numericDate = z.int().min(0).max(8_640_000_000_000);

/** Header of our access tokens: nothing more and nothing else (RFC 9068 §2.1). */
export const headerSchema = z.strictObject({
  alg: z.literal(algorithm),
  typ: z.literal(accessTokenType),
  kid: z.uuid(),
});

/**
 * Claims of RFC 9068 §2.2; `sid` names the session, `gen` the generation of the user's tokens, `auth_time` (OpenID Connect
 * Core §2) when the user last gave the password. Tokens from before there was this claim are good, and never fresh.
 */
export const claimsSchema = z.object({
  iss: z.string(),
  sub: z.uuid(),
  aud: z.string(),
  exp: numericDate,
  iat: numericDate,
  jti: z.uuid(),
  sid: z.uuid(),
  client_id: z.string(),
  roles: z.array(z.enum(['user', 'admin'])),
  gen: z.int().min(0),
  auth_time: numericDate.optional(),
});
export type Claims = z.infer<typeof claimsSchema>;

/** The `client_id` (RFC 9068 §2.2) of what a caller asks for: the service's name, else ours. */
export const clientOf = (caller: Principal): string => (caller.kind === 'service' ? caller.name : ownClientId);

/** A token whose signature and claims are good; whether it is revoked is another question. */
export type VerifiedToken = { readonly principal: UserPrincipal; readonly facts: TokenFacts; readonly claims: Claims };

export function toVerifiedToken(claims: Claims, keyId: string): VerifiedToken {
  return {
    claims,
    principal: {
      kind: 'user',
      userId: claims.sub,
      roles: claims.roles,
      tokenId: claims.jti,
      sessionId: claims.sid,
      expiresAt: claims.exp,
      authTime: claims.auth_time,
    },
    facts: { tokenId: claims.jti, sessionId: claims.sid, userId: claims.sub, keyId, generation: claims.gen },
  };
}
