import { Injectable } from '@nestjs/common';

import { EncodedPage } from './encoded-page.js';
import { decodeCursor, decodePage, encodeCursor, encodePage, type FeedPage } from './feed-cursors.js';
import { FeedSnapshot } from './feed-snapshot.js';
import { type FeedMoment, FeedReader, toEntry } from './feed.reader.js';
import { heartbeatMs, type ReadFeed, type RevocationPage } from './feed.schema.js';
import { SharedPages } from './shared-pages.js';

/** Before all ids, and before all transactions. */
const firstId = '0';
const beginning = 0n;

/** Answers a walk through the revocations, page by page. */
@Injectable()
export class FeedPagesService {
  readonly #live = new SharedPages();

  constructor(
    private readonly reader: FeedReader,
    private readonly snapshot: FeedSnapshot,
  ) {}

  /** @throws AppError `invalid-cursor`, `feed-reset` */
  read({ cursor, page, limit }: ReadFeed): Promise<EncodedPage> {
    if (page !== undefined) return this.#goOn(page, limit);
    if (cursor === undefined) return this.#begin(limit);
    return this.#live.read(`since ${limit} ${cursor}`, async () => {
      const now = await this.#now();
      return this.#read({ cursor: now, from: decodeCursor(cursor, now).horizon, afterId: firstId }, limit);
    });
  }

  async #begin(limit: number): Promise<EncodedPage> {
    const position = { cursor: await this.snapshot.begin(), from: beginning, afterId: firstId };
    return this.snapshot.page(`${limit} ${encodePage(position)}`, () => this.#read(position, limit));
  }

  async #goOn(page: string, limit: number): Promise<EncodedPage> {
    const key = `${limit} ${page}`;
    const kept = this.snapshot.find(key);
    if (kept) return kept;
    const position = decodePage(page, await this.#now());
    const read = (): Promise<EncodedPage> => this.#read(position, limit);
    return isOfSnapshot(position) ? this.snapshot.page(key, read) : this.#live.read(`page ${key}`, read);
  }

  async #now(): Promise<FeedMoment> {
    const now = await this.reader.now();
    this.snapshot.keepOnly(now.epoch);
    return now;
  }

  async #read(position: FeedPage, limit: number): Promise<EncodedPage> {
    // one extra row tells whether a next page exists
    const rows = await this.reader.rowsFrom(position.from, position.afterId, limit + 1);
    const afterId = rows.length > limit ? rows[limit - 1]?.id : undefined;
    const body: RevocationPage = {
      epoch: position.cursor.epoch,
      cursor: encodeCursor(position.cursor),
      heartbeatMs,
      items: rows.slice(0, limit).map(toEntry),
      nextPage: nextOf(position, afterId),
    };
    return new EncodedPage(body);
  }
}

/** Whether a page is of all that is live, not of what came since. */
const isOfSnapshot = ({ from }: FeedPage): boolean => from === beginning;

/**
 * After the last page of a snapshot, which may be seconds old, comes what was committed since:
 * whoever has taken in a whole walk knows all that there was when they began it.
 */
function nextOf(position: FeedPage, afterId: string | undefined): string | null {
  if (afterId !== undefined) return encodePage({ ...position, afterId });
  if (!isOfSnapshot(position)) return null;
  return encodePage({ ...position, from: position.cursor.horizon, afterId: firstId });
}
