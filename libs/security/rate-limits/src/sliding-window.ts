import type { RateLimit } from '#libs/platform/access';

/** Kept for each key: two counts of requests that were let through. Times in ms of any clock. */
export type WindowState = {
  readonly startMs: number;
  readonly previous: number;
  readonly current: number;
  /** Refused in the current window; does not count against the limit. */
  readonly refused: number;
};
/** What counts against the limit now; `resetMs` until the current window ends. */
type Standing = {
  readonly state: WindowState;
  readonly used: number;
  readonly resetMs: number;
};
export type Decision = Standing & {
  readonly isAllowed: boolean;
  /** Until a request would be let through when no other comes; 0 when this one was. */
  readonly retryMs: number;
};

/**
 * Pure step of a sliding window counter: one request more. What was let through in the window
 * before weighs less and less as this one goes by. So two limits are never let through at the
 * border of two windows, and a caller who asks for more gets exactly the limit in each window (ADR
 * 6). `limit-script.ts` says the same in Lua.
 */
export function decide(state: WindowState | undefined, rateLimit: RateLimit, nowMs: number): Decision {
  const { state: now, used, resetMs } = look(state, rateLimit, nowMs);
  if (used >= rateLimit.limit) {
    const retryMs = waitMs(now, rateLimit, nowMs - now.startMs);
    return { state: { ...now, refused: now.refused + 1 }, used, resetMs, isAllowed: false, retryMs };
  }
  return { state: { ...now, current: now.current + 1 }, used: used + 1, resetMs, isAllowed: true, retryMs: 0 };
}

/** The same step without a request. */
export function look(stored: WindowState | undefined, { windowSeconds }: RateLimit, nowMs: number): Standing {
  const windowMs = windowSeconds * 1_000;
  const state = rolled(stored, windowMs, nowMs);
  const leftMs = windowMs - (nowMs - state.startMs);
  return { state, used: state.current + Math.floor((state.previous * leftMs) / windowMs), resetMs: leftMs };
}

function rolled(stored: WindowState | undefined, windowMs: number, nowMs: number): WindowState {
  const ageMs = stored === undefined ? Infinity : nowMs - stored.startMs;
  if (stored === undefined || ageMs >= 2 * windowMs) return { startMs: nowMs, previous: 0, current: 0, refused: 0 };
  if (ageMs >= windowMs) {
    return { startMs: stored.startMs + windowMs, previous: stored.current, current: 0, refused: 0 };
  }
  // when a clock was set back, nobody must be kept out for as long as that
  return ageMs < 0 ? { ...stored, startMs: nowMs } : stored;
}

function waitMs({ previous, current }: WindowState, { limit, windowSeconds }: RateLimit, ageMs: number): number {
  const windowMs = windowSeconds * 1_000;
  const room = limit - 1 - current;
  if (room >= 0) return fadedAfterMs(previous, room, windowMs) - ageMs;
  return windowMs - ageMs + fadedAfterMs(current, limit - 1, windowMs);
}

/** When a count of the window before first weighs no more than `room`, in ms from the start. */
const fadedAfterMs = (count: number, room: number, windowMs: number): number =>
  count <= room ? 0 : Math.floor(windowMs - ((room + 1) * windowMs) / count) + 1;
