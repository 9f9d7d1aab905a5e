import { Injectable, Logger } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';

import { countTrigrams } from './trigrams.js';

/** Some 20 pages of the table with 25 to 35 users each. */
const sample: Statement = {
  text: `select search_text from users
    tablesample system (least(100, 2000.0 / greatest(1, pg_relation_size('users') / 8192))) limit 1000`,
};
const freshMs = 600_000;

/**
 * In how many of some users' texts each trigram comes, to tell which trigrams of a search are rare. A guess is enough:
 * what is found does not depend on it, only how fast.
 */
@Injectable()
export class TrigramSample {
  readonly #logger = new Logger('TrigramSample');
  #counts: ReadonlyMap<string, number> | undefined;
  #takenAtMs = -Infinity;

  constructor(private readonly sql: Sql) {}

  /** Undefined until the first sample is there; who asks does not wait for it, nor for the next one every 10 minutes. */
  get counts(): ReadonlyMap<string, number> | undefined {
    if (performance.now() - this.#takenAtMs > freshMs) void this.#take();
    return this.#counts;
  }

  async #take(): Promise<void> {
    this.#takenAtMs = performance.now();
    try {
      const rows = await this.sql.rows<{ search_text: string }>(sample, []);
      this.#counts = countTrigrams(rows.map(({ search_text: text }) => text));
    } catch (error) {
      this.#logger.warn({ err: error, event: 'searches go on with the last sample of texts' });
    }
  }
}
