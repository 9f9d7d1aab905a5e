import type { TokenFact } from '../revocations/index.js';

/** What is known of the revocations, and how old that is. `verify` judges by it. */
export type RevocationView = {
  /** Milliseconds since when all that was committed is known; Infinity before the first walk. */
  readonly ageMs: number;
  /** In memory, expired ones included until they make room. */
  readonly entries: number;
  readonly epoch: string | undefined;
  /** Whether an entry ends one of the facts. `now` in Unix seconds. */
  isRevoked(facts: readonly TokenFact[], now: number): boolean;
  /** Resolves when the first walk has been taken in, or after `close`; never rejects. */
  ready(): Promise<void>;
  /** Ends connections and timers: nothing of it keeps the process alive. */
  close(): Promise<void>;
};
