import type { UserPrincipal } from './principal.js';

/** What the guard asks about a bearer token. Auth implements it, so that no feature depends on auth to be guarded. */
export abstract class TokenVerifier {
  /**
   * The user that a token stands for.
   * @throws AppError `invalid-token` when it is malformed, expired, revoked or not ours;
   * `unavailable` when revocation cannot be checked
   */
  abstract verify(token: string): UserPrincipal | Promise<UserPrincipal>;
}
