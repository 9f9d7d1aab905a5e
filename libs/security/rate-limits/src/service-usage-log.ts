import type { RateClassName } from '#libs/platform/access';

/** Hears of each request that a service made. The services lib keeps it. */
export abstract class ServiceUsageLog {
  abstract add(service: string, rateClass: RateClassName, outcome: 'used' | 'refused'): void;
}
