import { Injectable, type OnModuleInit } from '@nestjs/common';

import { MetricSources } from '#libs/platform/monitoring';

import type { EncodedPage } from './encoded-page.js';
import type { FeedCursor } from './feed-cursors.js';
import { FeedReader } from './feed.reader.js';

/** Who begins within this time shares a walk: its cursor stays right, however old it is. */
const sharedForMs = 5_000;
/** Longer, for those who walk behind. */
const keptForMs = 10_000;
const maxBytes = 32 * 1024 * 1024;
/** What a page costs beside its bytes: its key, objects, its slot in the map. */
const overheadBytes = 1_024;

type Walk = { readonly cursor: Promise<FeedCursor>; readonly beganAt: number; epoch?: string };

/** The pages of all that is live, kept for some seconds as the bytes that are sent. */
@Injectable()
export class FeedSnapshot implements OnModuleInit {
  #walk: Walk | undefined;
  #epoch: string | undefined;
  readonly #reading = new Map<string, Promise<EncodedPage>>();
  /** In the order in which they were made. */
  readonly #kept = new Map<string, EncodedPage>();
  #bytes = 0;

  constructor(
    private readonly reader: FeedReader,
    private readonly metrics: MetricSources,
  ) {}

  onModuleInit(): void {
    this.metrics.register({
      name: 'revocation_feed_snapshot_bytes',
      help: 'Pages of the feed of revocations that are kept to be sent again, at most 32 MiB',
      kind: 'gauge',
      read: () => this.#bytes,
    });
  }

  /** The cursor of the walk that all share who begin now. */
  begin(): Promise<FeedCursor> {
    if (this.#walk && performance.now() - this.#walk.beganAt < sharedForMs) return this.#walk.cursor;
    const walk: Walk = { cursor: this.reader.now(), beganAt: performance.now() };
    this.#walk = walk;
    walk.cursor.then(
      ({ epoch }) => {
        walk.epoch = epoch;
        this.keepOnly(epoch);
      },
      () => this.#forget(walk),
    );
    return walk.cursor;
  }

  /** Nobody begins or goes on with a walk of another history. */
  keepOnly(epoch: string): void {
    if (this.#walk?.epoch !== undefined && this.#walk.epoch !== epoch) this.#walk = undefined;
    if (this.#epoch === epoch) return;
    this.#epoch = epoch;
    for (const [key, page] of this.#kept) this.#drop(key, page);
  }

  find(key: string): EncodedPage | undefined {
    return this.#kept.get(key);
  }

  /** The page as it is kept, or as it is read: once for all who ask meanwhile. */
  page(key: string, read: () => Promise<EncodedPage>): Promise<EncodedPage> {
    const kept = this.find(key);
    if (kept) return Promise.resolve(kept);
    const known = this.#reading.get(key);
    if (known) return known;
    const reading = this.#readAndKeep(key, read).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #readAndKeep(key: string, read: () => Promise<EncodedPage>): Promise<EncodedPage> {
    const page = await read();
    await page.compress();
    this.#kept.set(key, page);
    this.#bytes += costOf(page);
    setTimeout(() => this.#drop(key, page), keptForMs).unref();
    // the oldest go first: the walks that all share have passed them
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= maxBytes) break;
      this.#drop(oldest, old);
    }
    return page;
  }

  #drop(key: string, page: EncodedPage): void {
    if (this.#kept.get(key) !== page) return;
    this.#kept.delete(key);
    this.#bytes -= costOf(page);
  }

  #forget(walk: Walk): void {
    if (this.#walk === walk) this.#walk = undefined;
  }
}

const costOf = (page: EncodedPage): number => page.byteLength + overheadBytes;
