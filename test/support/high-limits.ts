import { rateClasses } from '#libs/platform/access';

/**
 * All tests come from one address, often as one administrator: their limits are out of
 * the way unless a test sets them.
 */
export const highLimits: Readonly<Record<string, string>> = Object.fromEntries(
  ['IP', 'USER'].flatMap((who) => rateClasses.map((name) => [`RATE_LIMIT_${who}_${name.toUpperCase()}`, '1000000'])),
);
