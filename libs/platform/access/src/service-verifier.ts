import type { ServicePrincipal } from './principal.js';

/** What the guard asks about a service's key. The services lib implements it. */
export abstract class ServiceVerifier {
  /**
   * The service that a name and secret stand for.
   * @throws AppError `invalid-service-key`; the same, after the same work, for an unknown name and a wrong secret
   */
  abstract verify(name: string, secret: string): ServicePrincipal | Promise<ServicePrincipal>;
}
