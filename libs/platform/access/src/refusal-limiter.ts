import type { ExecutionContext } from '@nestjs/common';

/**
 * Counts the requests that access refuses: who guesses keys is limited like anybody else. The rate limits implement it.
 */
export abstract class RefusalLimiter {
  /**
   * Counts against the caller as far as it is known, else against its address.
   * @throws AppError `rate-limited` instead of the refusal
   */
  abstract countRefusal(context: ExecutionContext): Promise<void>;
}
