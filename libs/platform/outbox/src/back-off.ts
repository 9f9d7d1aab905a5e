const firstSeconds = 5;
const longestSeconds = 3_600;
const givenUpAfterMs = 24 * 3_600_000;

/**
 * Pure. Seconds until the next try after so many, doubled each time up to an hour, by a random part
 * (0 to 1) between half and all of it, so that what failed together does not come back together.
 * Nothing when it has been tried for a day: then it is given up.
 */
export function backOffSeconds(attempts: number, waitingMs: number, random: number): number | undefined {
  if (waitingMs >= givenUpAfterMs) return undefined;
  const whole = Math.min(firstSeconds * 2 ** (attempts - 1), longestSeconds);
  return whole * (0.5 + random / 2);
}
