/**
 * `reset`: read everything without a cursor. `denied`: the key is wrong, or lacks the right.
 * `malformed`: something was told that cannot be read. `unavailable`: there is no answer.
 */
export type FeedFailureReason = 'reset' | 'denied' | 'malformed' | 'unavailable';

/** Why a walk or a stream came to nothing. */
export class FeedFailure extends Error {
  override readonly name = 'FeedFailure';

  /** @param retryAfterMs as the issuer asks for */
  constructor(
    readonly reason: FeedFailureReason,
    message: string,
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }
}

export function toFailure(error: unknown): FeedFailure {
  if (error instanceof FeedFailure) return error;
  if (!(error instanceof Error)) return new FeedFailure('unavailable', String(error));
  // `fetch` says only that it failed, its cause says why
  const { cause } = error;
  return new FeedFailure('unavailable', cause instanceof Error ? `${error.message}: ${cause.message}` : error.message);
}
