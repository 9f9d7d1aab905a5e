/** How often a key was seen in its window; `endsAtMs` in Unix milliseconds. */
export type WindowState = { readonly hits: number; readonly endsAtMs: number };
export type Rule = { readonly limit: number; readonly windowMs: number };
export type Decision = { readonly state: WindowState; readonly isAllowed: boolean; readonly remaining: number };

/** Pure step of a fixed window: one hit more. The first hit after the end of a window begins the next one. */
export function decide(state: WindowState | undefined, { limit, windowMs }: Rule, nowMs: number): Decision {
  const isOpen = state !== undefined && state.endsAtMs > nowMs;
  const next = isOpen ? { hits: state.hits + 1, endsAtMs: state.endsAtMs } : { hits: 1, endsAtMs: nowMs + windowMs };
  return { state: next, isAllowed: next.hits <= limit, remaining: Math.max(0, limit - next.hits) };
}
