import type { ThrottlerStorage } from '@nestjs/throttler';

import type { Decision, Rule } from './sliding-window.js';

/** The throttler's record, with what is left and what was refused in the current window. */
export type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>> & { readonly remaining: number };

/** How a key stands now. */
export type Reading = { readonly used: number; readonly refused: number; readonly resetMs: number };

/** A count that a request is part of. */
export type LimitedKey = { readonly key: string; readonly limit: number };

/** Counts requests; the throttler's contract, and a look that counts nothing. */
export interface LimitStore extends ThrottlerStorage {
  /** One request more. @param ttl length of the window in ms */
  increment(key: string, ttl: number, limit: number): Promise<Counted>;
  /**
   * One request more under keys of which each contains the one before. What one refuses counts under none behind it, or
   * whoever is refused would use up what others have. @param ttl as above
   * @returns how each stands, up to the one that refuses
   */
  incrementNested(keys: readonly LimitedKey[], ttl: number): Promise<readonly Counted[]>;
  read(key: string, rule: Rule): Promise<Reading>;
}

/** Injection token of the `LimitStore` that the configuration asks for. */
export const LIMIT_STORE = Symbol('LimitStore');

/** As answered in header fields: whole seconds, and no refusal that says to come back at once. */
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
