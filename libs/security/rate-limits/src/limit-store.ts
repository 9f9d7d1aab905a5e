import type { ThrottlerStorage } from '@nestjs/throttler';

import type { RateLimit } from '#libs/platform/access';

import type { Decision } from './sliding-window.js';

/** The throttler's record, with what is left and what was refused in the current window. */
export type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>> & { readonly remaining: number };

/** Counted against the limit now; refused in this window; ms until the window ends. */
export type Reading = { readonly used: number; readonly refused: number; readonly resetMs: number };

/** A key that a request counts under, and what may be let through under it. */
export type LimitedKey = { readonly key: string; readonly limit: number };

/** Counts requests: the throttler's contract, nested keys, and a look that counts nothing. */
export interface LimitStore extends ThrottlerStorage {
  /** One request more. @param ttl length of the window in ms */
  increment(key: string, ttl: number, limit: number): Promise<Counted>;
  /**
   * One request more under several keys, of which each stands for a wider group of callers than the
   * one before. When one refuses, the request does not count under those behind it: a refused
   * caller must not use up what others have.
   * @param ttl length of the window in ms
   * @returns how each key stands, up to the one that refuses
   */
  incrementNested(keys: readonly LimitedKey[], ttl: number): Promise<readonly Counted[]>;
  read(key: string, rateLimit: RateLimit): Promise<Reading>;
}

/** Injection token of the `LimitStore` that the configuration asks for. */
export const LIMIT_STORE = Symbol('LimitStore');

/** In whole seconds, as header fields have them. A refused caller waits for at least one. */
export function toCounted(
  decision: Pick<Decision, 'isAllowed' | 'used' | 'resetMs' | 'retryMs'>,
  limit: number,
): Counted {
  const { isAllowed, used, resetMs, retryMs } = decision;
  return {
    totalHits: used,
    timeToExpire: Math.max(1, Math.ceil(resetMs / 1_000)),
    isBlocked: !isAllowed,
    timeToBlockExpire: isAllowed ? 0 : Math.max(1, Math.ceil(retryMs / 1_000)),
    remaining: Math.max(0, limit - used),
  };
}
