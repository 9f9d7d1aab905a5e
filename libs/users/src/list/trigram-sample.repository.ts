import { Injectable, Logger } from '@nestjs/common';

import { Sql, type Statement } from '#libs/platform/database';

import { countTrigrams, type IndexedLetters, type Sample } from './trigrams.js';

/** Some 20 pages of the table with 25 to 35 users each. */
const sample: Statement = {
  text: `select search_text from users
    tablesample system (least(100, 2000.0 / greatest(1, pg_relation_size('users') / 8192))) limit 1000`,
};
/** For pg_trgm a letter is what the locale of the database says is one. */
const locale: Statement = {
  text: "select datctype in ('C', 'POSIX') as is_ascii from pg_database where datname = current_database()",
};
const freshMs = 600_000;

/**
 * Samples how often trigrams occur in the texts of users, to tell which ones of a search are rare,
 * and which letters the index knows. Only the speed of a search depends on it, not its result.
 */
@Injectable()
export class TrigramSampleRepository {
  readonly #logger = new Logger('TrigramSampleRepository');
  #sample: Sample | undefined;
  #takenAtMs = -Infinity;

  constructor(private readonly sql: Sql) {}

  /** Undefined until the first sample is taken; nobody waits for it. Renewed after 10 minutes. */
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
