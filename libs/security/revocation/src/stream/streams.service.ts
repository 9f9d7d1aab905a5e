import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { type Config, CONFIG } from '#libs/platform/config';
import { AppError } from '#libs/platform/errors';
import { Draining } from '#libs/platform/http';
import { MetricSources } from '#libs/platform/monitoring';
import { WorkQueue } from '#libs/platform/queues';

import { decodeCursor, type FeedCursor } from '../feed/feed-cursors.js';
import { FeedReader } from '../feed/feed.reader.js';
import { StreamAccess } from './stream-access.js';
import { retryFrame, toBatches } from './stream-frames.js';
import { StreamHub } from './stream-hub.js';
import { resetReasons, type StreamCounts, StreamListener } from './stream-listener.js';

/** Some 64 KiB: what a listener that catches up and does not read costs. */
const pageRows = 250;
/** Connections to the database that all who catch up share. */
const readsAtOnce = 3;
/** A listener that catches up takes a page within this time. */
const pageTimeoutMs = 10_000;

const streamHeaders = {
  'content-type': 'text/event-stream',
  // nginx would hold back what it collects
  'x-accel-buffering': 'no',
  // the next stream may go to another replica
  connection: 'close',
};

/** Opens the streams of the feed, and has each begin with what was there before it. */
@Injectable()
export class StreamsService implements OnModuleInit {
  readonly #logger = new Logger('RevocationStream');
  readonly #counts: StreamCounts = { entries: 0, resets: new Map(resetReasons.map((reason) => [reason, 0])) };
  readonly #reads = new WorkQueue({ concurrency: readsAtOnce, queue: Number.POSITIVE_INFINITY });
  #open = 0;

  constructor(
    private readonly hub: StreamHub,
    private readonly access: StreamAccess,
    private readonly reader: FeedReader,
    private readonly draining: Draining,
    private readonly metrics: MetricSources,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.draining.onBegin(() => void this.hub.resetAll('draining'));
    this.metrics.register(
      {
        name: 'revocation_feed_listeners',
        help: 'Open streams of the feed of revocations',
        kind: 'gauge',
        read: () => this.#open,
      },
      {
        name: 'revocation_feed_lag_seconds',
        help: 'Age of what all listeners of the feed have been told; 0 without any',
        kind: 'gauge',
        read: () => this.hub.lagSeconds,
      },
      {
        name: 'revocation_feed_entries_total',
        help: 'Entries written to streams of the feed, each as often as there were listeners',
        kind: 'counter',
        read: () => this.#counts.entries,
      },
      {
        name: 'revocation_feed_resets_total',
        help: 'Streams of the feed that were ended here, by reason',
        kind: 'counter',
        labelNames: ['reason'],
        read: () => Array.from(this.#counts.resets, ([reason, value]) => ({ labels: { reason }, value })),
      },
    );
  }

  /**
   * Answers with the stream, or with its head alone to HEAD.
   * @throws AppError `too-many-streams`, `unavailable`, `invalid-cursor`, `feed-reset`, `bad-request`
   * when pipelined
   */
  async open(reply: FastifyReply, given: string | undefined): Promise<void> {
    this.#takePlace(reply.raw);
    const now = await this.hub.now();
    const cursor = given === undefined ? undefined : decodeCursor(given, now);
    this.#assertServing();
    if (reply.raw.destroyed) return;
    writeHead(reply);
    if (reply.request.method === 'HEAD') {
      reply.raw.end();
      return;
    }
    const listener = new StreamListener(reply.raw, this.#counts);
    this.hub.join(listener, now);
    this.access.watch(listener, reply.request);
    reply.raw.once('close', () => {
      this.hub.leave(listener);
      this.access.forget(listener, reply.request);
    });
    void this.#catchUp(listener, cursor);
  }

  #takePlace(raw: ServerResponse): void {
    this.#assertServing();
    if (this.#open >= this.config.MAX_REVOCATION_STREAMS) {
      throw new AppError('too-many-streams', { headers: { 'retry-after': '10' } });
    }
    // Who has hung up does not do so again. Pipelined behind another answer it has no socket yet,
    // and would not hear of its end.
    if (raw.destroyed || raw.socket === null) {
      throw new AppError('bad-request', { detail: 'A stream needs a connection of its own.' });
    }
    this.#open++;
    raw.once('close', () => this.#open--);
  }

  #assertServing(): void {
    if (this.draining.isDraining) throw new AppError('unavailable', { headers: { 'retry-after': '1' } });
  }

  async #catchUp(listener: StreamListener, cursor: FeedCursor | undefined): Promise<void> {
    try {
      let afterId: string | undefined = '0';
      while (afterId !== undefined) afterId = await this.#tellPage(listener, cursor, afterId);
      this.hub.greet(listener);
    } catch (error) {
      if (listener.isOpen) this.#logger.warn({ err: error, event: 'a listener of the feed could not catch up' });
      listener.reset('database');
    }
  }

  /** @returns the id after which the next page begins */
  async #tellPage(
    listener: StreamListener,
    cursor: FeedCursor | undefined,
    afterId: string,
  ): Promise<string | undefined> {
    const read = () => this.reader.rowsFrom(cursor?.horizon ?? 0n, afterId, pageRows);
    const rows = await this.#reads.run(async () => (listener.isOpen ? read() : []));
    for (const batch of toBatches(rows, '')) {
      listener.tell(batch);
      if (!(await listener.readAll(pageTimeoutMs))) listener.reset('slow');
    }
    return rows.length === pageRows && listener.isOpen ? rows.at(-1)?.id : undefined;
  }
}

function writeHead(reply: FastifyReply): void {
  const { raw } = reply;
  void reply.headers(streamHeaders).hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.on('error', () => undefined);
  // quiet for as long as the database does not answer; who does not read is reset
  raw.setTimeout(0);
  raw.writeHead(200);
  // all listeners of a replica that ends come back, but not in the same moment
  if (reply.request.method !== 'HEAD') raw.write(retryFrame(randomInt(1_000, 3_001)));
}
