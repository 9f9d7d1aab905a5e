import { z } from 'zod';

import type { KnownService, ServicePrincipal, UserPrincipal } from '#libs/platform/access';
import { type TokenFact, tokenFacts } from '#libs/security/revocation';

export const accessTokenType = 'at+jwt';
export const algorithm = 'ES256';
/**
 * In characters; ours have about 700, up to 4 KB of permissions, and what `TOKEN_CLAIMS` declares.
 * A longer text is refused before it is decoded.
 */
export const longestToken = 12_288;
/**
 * Clocks of replicas may differ by this much. A token from further ahead would outlive the
 * revocations of today.
 */
const clockSkewSeconds = 60;

/** Whole seconds since 1970: `1e400` is `Infinity`, and a `typeof` check would let it pass. */
const numericDate = z.int().min(0).max(8_640_000_000_000);

/** Header of our access tokens: nothing more and nothing else (RFC 9068 §2.1). */
const headerSchema = z.strictObject({
  alg: z.literal(algorithm),
  typ: z.literal(accessTokenType),
  kid: z.uuid(),
});

const generation = z.int().min(0);

/**
 * Claims of RFC 9068 §2.2; `gen` is the generation of the tokens of the user or service. We issue
 * no `nbf` and one `aud`; what JWT allows beside that (RFC 7519 §4.1) is read, so that a refusal
 * can name its reason.
 */
const commonClaims = {
  iss: z.string(),
  sub: z.string().min(1).max(255),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: numericDate,
  nbf: numericDate.optional(),
  iat: numericDate,
  jti: z.uuid(),
  client_id: z.string(),
  gen: generation,
};

/**
 * Of a person. `sid` names the session. `uid` is our id of the user, where `sub` is another one
 * that was imported. `role_gen` is the generation of roles that `permissions` were read from;
 * tokens from before these claims have none, which counts as 0. `auth_time` (OpenID Connect Core
 * §2) is when the user last gave the password or a code; a token without it is good, and never
 * fresh. `amr` (RFC 8176) is how the session was authenticated, `acr` what that amounts to; a token
 * without them is one of a password alone. Other members are what `TOKEN_CLAIMS` declared.
 */
const userClaimsSchema = z
  .looseObject({
    ...commonClaims,
    uid: z.uuid().optional(),
    sid: z.uuid(),
    roles: z.array(z.string()),
    permissions: z.array(z.string()).optional(),
    role_gen: generation.optional(),
    auth_time: numericDate.optional(),
    amr: z.array(z.string()).optional(),
    acr: z.string().optional(),
  })
  .refine(({ sub, uid }) => uid !== undefined || z.uuid().safeParse(sub).success, { path: ['sub'] });
export type UserClaims = z.infer<typeof userClaimsSchema>;

/** Authentication context classes (OpenID Connect Core §2): one factor, or two. */
const [oneFactor, twoFactors] = ['urn:gatehouse:1fa', 'urn:gatehouse:2fa'];

/** `amr` of a session whose user has given a code of the second factor. */
export const withSecondFactor = ['pwd', 'otp', 'mfa'] as const;

export const acrOf = (amr: readonly string[]): string => (amr.includes('mfa') ? twoFactors : oneFactor);

/**
 * Of a service that stands for itself: `client_id` is its `sub` (RFC 9068 §2.2), and `scope` what
 * the token is for (RFC 8693 §4.2). What has a session or roles is a user's, and nothing else.
 */
const serviceClaimsSchema = z
  .object({ ...commonClaims, scope: z.string(), sid: z.never().optional(), roles: z.never().optional() })
  .refine(({ sub, client_id }) => sub === client_id, { path: ['client_id'] });
export type ServiceClaims = z.infer<typeof serviceClaimsSchema>;

export const claimsSchema = z.union([userClaimsSchema, serviceClaimsSchema]);
export type Claims = z.infer<typeof claimsSchema>;

/** What ends the trust in a token before it expires. */
export type TokenEnd = 'revoked' | 'user-deactivated' | 'user-deleted' | 'service-deactivated' | 'service-deleted';

/** `accepted`, or the reason why a token that could be read is not good. */
export type TokenVerdict = 'accepted' | 'wrong-issuer' | 'wrong-audience' | 'not-yet-valid' | 'expired' | TokenEnd;

/**
 * What a token is judged by: who must have issued it and for whom, and what has ended it. With
 * `audience` null it may be for anybody.
 */
export type TokenState = {
  readonly issuer: string;
  readonly audience: string | null;
  readonly end?: TokenEnd | undefined;
};

/**
 * The one rule for a good access token: the guard, introspection and `explain` call it. Pure.
 * Signature and form are checked before (`JwtStrategy.read`).
 * @param now Unix seconds by the database's clock
 */
export function judgeAccessToken(claims: Claims, { issuer, audience, end }: TokenState, now: number): TokenVerdict {
  if (claims.iss !== issuer) return 'wrong-issuer';
  if (typeof claims.aud !== 'string' || claims.aud !== (audience ?? claims.aud)) return 'wrong-audience';
  if (claims.iat > now + clockSkewSeconds) return 'not-yet-valid';
  if (claims.nbf !== undefined && claims.nbf > now) return 'not-yet-valid';
  if (claims.exp <= now) return 'expired';
  return end ?? 'accepted';
}

/** The service that a token of its own was issued to; what it may do now, the directory knows. */
export type ServiceBearer = {
  readonly kind: 'service';
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tokenId: string;
  readonly expiresAt: number;
};

/** Claims that we issue ourselves; `TOKEN_CLAIMS` may declare none of them. */
export const ownClaimNames: ReadonlySet<string> = new Set(Object.keys(userClaimsSchema.shape));

/** What `TOKEN_CLAIMS` declared when the token was issued. */
export const declaredIn = (claims: UserClaims): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !ownClaimNames.has(name)));

/** A token of ours by form and signature; `judgeAccessToken` says whether it is good now. */
export type VerifiedToken = {
  readonly principal: UserPrincipal | ServiceBearer;
  /** What can end it: the token itself, and all that it names. */
  readonly facts: readonly TokenFact[];
  readonly claims: Claims;
};

export const toVerifiedToken = (claims: Claims, keyId: string): VerifiedToken =>
  claims.sid === undefined ? ofService(claims, keyId) : ofUser(claims, keyId);

/** A service by a token: as it is now, with those scopes of the token that it still has. */
export const servicePrincipalOf = ({ principal }: KnownService, { scopes }: ServiceBearer): ServicePrincipal => ({
  ...principal,
  scopes: principal.scopes.filter((scope) => scopes.includes(scope)),
});

function ofService(claims: ServiceClaims, keyId: string): VerifiedToken {
  const { sub: name, scope, jti, exp } = claims;
  const scopes = scope.split(' ');
  return {
    claims,
    principal: { kind: 'service', name, scopes, tokenId: jti, expiresAt: exp },
    facts: tokenFacts(claims, keyId),
  };
}

function ofUser(claims: UserClaims, keyId: string): VerifiedToken {
  const userId = claims.uid ?? claims.sub;
  return {
    claims,
    principal: {
      kind: 'user',
      userId,
      roles: claims.roles,
      tokenId: claims.jti,
      sessionId: claims.sid,
      expiresAt: claims.exp,
      authTime: claims.auth_time,
      hasSecondFactor: claims.acr === twoFactors,
    },
    // entries in our own memory name a user by id
    facts: tokenFacts({ ...claims, sub: userId }, keyId),
  };
}

/** The `kid` of an access token; nothing when the text is not a JWT with exactly our header. */
export function readKeyId(token: string): string | undefined {
  if (token.length > longestToken) return undefined;
  const [header = '', ...rest] = token.split('.', 4);
  if (rest.length !== 2) return undefined;
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))).kid;
  } catch {
    return undefined;
  }
}
