/**
 * One request, or a run of equal ones, and how a limiter that begins
 * empty must answer the last of them.
 */
export type Step = {
  readonly atMs: number;
  readonly times?: number;
  readonly limit?: number;
  readonly expected: {
    readonly isAllowed: boolean;
    readonly used: number;
    readonly resetMs: number;
    readonly retryMs: number;
    readonly refused: number;
  };
};

const allowed = (used: number, resetMs: number, refused = 0): Step['expected'] => ({
  isAllowed: true,
  used,
  resetMs,
  retryMs: 0,
  refused,
});
const denied = (used: number, resetMs: number, retryMs: number, refused: number): Step['expected'] => ({
  isAllowed: false,
  used,
  resetMs,
  retryMs,
  refused,
});

/**
 * Windows of 1,000 ms, 10 requests each unless a step says otherwise. The script and
 * the pure function are held to it.
 */
export const limitVectors: readonly [fact: string, steps: readonly Step[]][] = [
  ['the first request begins the window', [{ atMs: 5_000, expected: allowed(1, 1_000) }]],
  [
    'all of a window may be used at once, and no more',
    [
      { atMs: 0, times: 10, expected: allowed(10, 1_000) },
      { atMs: 400, expected: denied(10, 600, 601, 1) },
      { atMs: 999, times: 5, expected: denied(10, 1, 2, 6) },
    ],
  ],
  [
    'a border lets no second limit through at once',
    [
      { atMs: 0, expected: allowed(1, 1_000) },
      { atMs: 990, times: 9, expected: allowed(10, 10) },
      { atMs: 1_000, expected: denied(10, 1_000, 1, 1) },
      { atMs: 1_001, expected: allowed(10, 999, 1) },
      { atMs: 1_001, expected: denied(10, 999, 100, 2) },
      { atMs: 1_100, expected: denied(10, 900, 1, 3) },
      { atMs: 1_101, expected: allowed(10, 899, 3) },
    ],
  ],
  [
    'half a window later, half of the one before weighs',
    [
      { atMs: 0, times: 10, expected: allowed(10, 1_000) },
      { atMs: 1_500, expected: allowed(6, 500) },
      { atMs: 1_500, times: 4, expected: allowed(10, 500) },
      { atMs: 1_500, expected: denied(10, 500, 1, 1) },
    ],
  ],
  [
    'after two windows everything is forgotten',
    [
      { atMs: 0, times: 12, expected: denied(10, 1_000, 1_001, 2) },
      { atMs: 2_000, expected: allowed(1, 1_000) },
    ],
  ],
  [
    'a limit that is lowered or raised acts at once on the same counts',
    [
      { atMs: 0, times: 8, expected: allowed(8, 1_000) },
      { atMs: 100, limit: 4, expected: denied(8, 900, 1_401, 1) },
      { atMs: 100, limit: 9, expected: allowed(9, 900, 1) },
      { atMs: 200, limit: 9, expected: denied(9, 800, 801, 2) },
      { atMs: 200, limit: 20, expected: allowed(10, 800, 2) },
    ],
  ],
  [
    'a limit of one lets one through in each window',
    [
      { atMs: 0, limit: 1, expected: allowed(1, 1_000) },
      { atMs: 1_000, limit: 1, expected: denied(1, 1_000, 1, 1) },
      { atMs: 1_001, limit: 1, expected: allowed(1, 999, 1) },
    ],
  ],
  [
    'a clock that is set back keeps nobody out for longer than two windows',
    [
      { atMs: 100_000, times: 10, expected: allowed(10, 1_000) },
      { atMs: 50_000, expected: denied(10, 1_000, 1_001, 1) },
      { atMs: 52_000, expected: allowed(1, 1_000) },
    ],
  ],
];
