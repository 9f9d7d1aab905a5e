import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { MetricSources } from '#libs/platform/monitoring';

/** Clocks of replicas may differ from the database's by this much. */
const clockToleranceSeconds = 60;

/**
 * The one clock that trust is dated and judged by: the database's. A replica whose own clock is
 * wrong would let tokens and secrets live longer, or write the end of a token as if it were over.
 */
@Injectable()
export class DatabaseClock implements OnModuleInit {
  readonly #logger = new Logger('DatabaseClock');
  #offsetMs = 0;
  #wasRight = true;

  constructor(private readonly metrics: MetricSources) {}

  onModuleInit(): void {
    this.metrics.register({
      name: 'clock_offset_seconds',
      help: "How far this replica's clock is ahead of the database's; beyond 60 either way it is not ready",
      kind: 'gauge',
      read: () => -this.#offsetMs / 1_000,
    });
  }

  /**
   * Unix milliseconds by the database's clock, as it was last measured; with the embedded database
   * there is one clock.
   */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Whether the replica's own clock is within the tolerance. */
  get isRight(): boolean {
    return Math.abs(this.#offsetMs) <= clockToleranceSeconds * 1_000;
  }

  /**
   * Takes a measurement in. The database read its clock about halfway between question and answer.
   * @param databaseMs what it said
   * @param roundTripMs how long that took, until now
   */
  measured(databaseMs: number, roundTripMs: number): void {
    this.#offsetMs = databaseMs - (Date.now() - roundTripMs / 2);
    if (this.isRight === this.#wasRight) return;
    this.#wasRight = this.isRight;
    const offsetSeconds = Math.round(-this.#offsetMs / 1_000);
    if (this.isRight) this.#logger.log({ offsetSeconds, event: 'the clock of this replica is right again' });
    else {
      const side = offsetSeconds < 0 ? 'behind' : 'ahead of';
      const event = `the clock of this replica is ${Math.abs(offsetSeconds)} s ${side} the database's: not ready until it is set (NTP)`;
      this.#logger.warn({ offsetSeconds, event });
    }
  }
}
