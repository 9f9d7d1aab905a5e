import type { ServicePrincipal } from './principal.js';

/** What a service may do at another one, whose audience it is. */
export type Grant = { readonly audience: string; readonly permissions: readonly string[] };

/** An active service, as far as others need to know it. */
export type KnownService = {
  readonly principal: ServicePrincipal;
  /** What its API knows; empty when it takes any permission. */
  readonly permissions: readonly string[];
  readonly grants: readonly Grant[];
  /** In its tokens; raising it ends those of every generation before. */
  readonly tokenGeneration: number;
};

/**
 * Who the services are, for those who issue tokens for them. The services lib implements it, so
 * that auth does not depend on services. Answers at once while this replica's view is fresh.
 */
export abstract class ServiceDirectory {
  /** The active service of this name. */
  abstract find(name: string): KnownService | undefined | Promise<KnownService | undefined>;

  /** The active service that has this audience, in any spelling (RFC 3986 §6.2.2). */
  abstract findByAudience(audience: string): KnownService | undefined | Promise<KnownService | undefined>;
}
