/** A heartbeat: the sender's monotonic clock, and ours when it was read, in milliseconds. */
export type Heartbeat = { readonly sentMs: number; readonly receivedMs: number };

/** What to add to the sender's clock to get ours, and the last heartbeat that it was judged by. */
export type StreamClock = { readonly offsetMs: number; readonly sentMs: number };

/** Two clocks may drift apart by this much; those of computers stay below a tenth of it. */
const driftMsPerMs = 0.001;

/**
 * The first heartbeat of a stream says what was so after the request for it had been sent.
 * @param requestedMs when the stream was asked for, by our clock
 */
export const beginClock = (requestedMs: number, { sentMs }: Heartbeat): StreamClock => ({
  offsetMs: requestedMs - sentMs,
  sentMs,
});

/**
 * The offset for a later heartbeat. It follows the least delay seen, upwards by at most 1 ms for
 * each second between the two: what is held up on its way counts as old as it is.
 */
export function followClock(clock: StreamClock, { sentMs, receivedMs }: Heartbeat): StreamClock {
  const drift = Math.max(0, sentMs - clock.sentMs) * driftMsPerMs;
  // nothing arrives before it was sent
  return { offsetMs: Math.min(clock.offsetMs + drift, receivedMs - sentMs), sentMs };
}

/** Up to when all that was committed is known, by our clock. */
export const knownMs = ({ offsetMs, sentMs }: StreamClock): number => sentMs + offsetMs;
