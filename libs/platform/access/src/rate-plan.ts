/**
 * What a route costs: a look-up, a change, a password tried, a password hashed, a picture worked
 * on.
 */
export const rateClasses = ['read', 'write', 'login', 'hash', 'upload'] as const;
export type RateClassName = (typeof rateClasses)[number];

/** So many requests in so long. */
export type RateLimit = { readonly limit: number; readonly windowSeconds: number };

/** What one caller may ask for, by class. */
export type RatePlan = Readonly<Record<RateClassName, RateLimit>>;
