/** What is kept of one key: two counts of requests let through, whatever their number. Times in Unix or any ms. */
export type WindowState = {
  readonly startMs: number;
  readonly previous: number;
  readonly current: number;
  /** Refused in the current window; of no weight. */
  readonly refused: number;
};
export type Rule = { readonly limit: number; readonly windowMs: number };

/** How a key stands; `resetMs` until the current window ends. */
export type Standing = {
  readonly state: WindowState;
  readonly used: number;
  readonly resetMs: number;
};
export type Decision = Standing & {
  readonly isAllowed: boolean;
  /** Until a request would be let through if nobody else asks; 0 when this one was. */
  readonly retryMs: number;
};

/**
 * Pure step of a sliding window counter: one request more. What was let through in the window before weighs less and less
 * as this one goes by, so that no border between windows lets two limits through at once, while every window from its
 * first request lets through just the limit of a caller who asks for more (ADR 6). `limit-script.ts` says the same in Lua.
 */
export function decide(state: WindowState | undefined, rule: Rule, nowMs: number): Decision {
  const { state: now, used, resetMs } = look(state, rule, nowMs);
  if (used >= rule.limit) {
    const retryMs = waitMs(now, rule, nowMs - now.startMs);
    return { state: { ...now, refused: now.refused + 1 }, used, resetMs, isAllowed: false, retryMs };
  }
  return { state: { ...now, current: now.current + 1 }, used: used + 1, resetMs, isAllowed: true, retryMs: 0 };
}

/** The same without a request. */
export function look(stored: WindowState | undefined, { windowMs }: Rule, nowMs: number): Standing {
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
  // a clock that was set back must not keep anybody out for as long
  return ageMs < 0 ? { ...stored, startMs: nowMs } : stored;
}

function waitMs({ previous, current }: WindowState, { limit, windowMs }: Rule, ageMs: number): number {
  const room = limit - 1 - current;
  if (room >= 0) return fadedAfterMs(previous, room, windowMs) - ageMs;
  return windowMs - ageMs + fadedAfterMs(current, limit - 1, windowMs);
}

/** The first millisecond of a window in which a count from the one before weighs no more than `room`. */
const fadedAfterMs = (count: number, room: number, windowMs: number): number =>
  count <= room ? 0 : Math.floor(windowMs - ((room + 1) * windowMs) / count) + 1;
