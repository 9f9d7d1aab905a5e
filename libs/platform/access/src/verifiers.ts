import type { ExecutionContext } from '@nestjs/common';

import type { ServiceKey } from './credentials.js';
import type { ServicePrincipal, TokenPrincipal } from './principal.js';

/**
 * What the guard asks about a bearer token. Auth implements it, so that no feature depends on auth
 * to be guarded.
 */
export abstract class TokenVerifier {
  /**
   * The user or service that a token stands for.
   * @throws AppError `invalid-token` when it is malformed, expired, revoked or not ours;
   * `unavailable` when revocation cannot be checked
   */
  abstract verify(token: string): TokenPrincipal | Promise<TokenPrincipal>;

  /**
   * The service that a token stands for; nothing for any other text, a user's token among them.
   * @throws as `verify`, for the token of a service
   */
  abstract verifyService(token: string): ServicePrincipal | undefined | Promise<ServicePrincipal | undefined>;
}

/** What the guard asks about a service's key. The services lib implements it. */
export abstract class ServiceVerifier {
  /**
   * The service that a key stands for. An object that was verified need not be hashed again while
   * nothing has changed.
   * @throws AppError `invalid-service-key`; the same, after the same work, for an unknown name and
   * a wrong secret
   */
  abstract verify(key: ServiceKey): ServicePrincipal | Promise<ServicePrincipal>;
}

/**
 * Counts the requests that access refuses: who guesses keys is limited like anybody else. The rate
 * limits implement it.
 */
export abstract class RefusalLimiter {
  /**
   * Counts against the caller as far as it is known, else against its address.
   * @throws AppError `rate-limited` instead of the refusal
   */
  abstract countRefusal(context: ExecutionContext): Promise<void>;
}
