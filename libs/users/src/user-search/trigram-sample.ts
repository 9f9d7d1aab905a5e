import { Injectable, Logger } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';

import { countTrigrams, type IndexedLetters, type Sample } from './trigrams.js';

/** Some 20 pages of the table with 25 to 35 users each. */
const sample: Statement = {
  text: `select search_text from users
    tablesample system (least(100, 2000.0 / greatest(1, pg_relation_size('users') / 8192))) limit 1000`,
};
/** pg_trgm takes letters for what the locale of the database takes for them. */
const locale: Statement = {
  text: "select datctype in ('C', 'POSIX') as is_ascii from pg_database where datname = current_database()",
};
const freshMs = 600_000;

/**
 * In how many of some users' texts each trigram comes, to tell which trigrams of a search are rare, and which letters
 * the index knows. A guess is enough: what is found does not depend on it, only how fast.
 */
@Injectable()
export class TrigramSample {
  readonly #logger = new Logger('TrigramSample');
  #sample: Sample | undefined;
  #takenAtMs = -Infinity;

  constructor(private readonly sql: Sql) {}

  /** Undefined until the first sample is there; who asks does not wait for it, nor for the next one every 10 minutes. */
  get current(): Sample | undefined {
    if (performance.now() - this.#takenAtMs > freshMs) void this.#take();
    return this.#sample;
  }

  async #take(): Promise<void> {
    this.#takenAtMs = performance.now();
    try {
      const rows = await this.sql.rows<{ search_text: string }>(sample, []);
      const isAscii = (await this.sql.row<{ is_ascii: boolean }>(locale, []))?.is_ascii === true;
      const letters: IndexedLetters = isAscii ? 'ascii' : 'all';
      this.#sample = { counts: countTrigrams(rows.map(({ search_text: text }) => text)), letters };
    } catch (error) {
      this.#logger.warn({ err: error, event: 'searches go on with the last sample of texts' });
    }
  }
}
