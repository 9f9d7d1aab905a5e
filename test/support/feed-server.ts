import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import type { Revocation } from '#verifier/revocations';

/** Answers in place of the server; what it does not take is answered as the protocol says. */
type Interception = (request: IncomingMessage, response: ServerResponse) => boolean;

type Given = { readonly heartbeatMs?: number; readonly pageEntries?: number };

/**
 * The issuer's side of docs/feed-protocol.md without a database: what goes wrong is up to the test.
 * A cursor is `<epoch>.<how many entries there were>`.
 */
export class FeedServer {
  readonly heartbeatMs: number;
  /** `pages`, `stream` and what was asked of them. */
  readonly requests: string[] = [];
  intercept: Interception = () => false;
  epoch = 'first';
  entries: unknown[] = [];
  /** Streams are told nothing of what happens. */
  isMute = false;
  /** Heartbeats up to now. */
  beats = 0;
  readonly #pageEntries: number;
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;
  #beat: NodeJS.Timeout | undefined;

  constructor({ heartbeatMs = 100, pageEntries = 3 }: Given = {}) {
    this.heartbeatMs = heartbeatMs;
    this.#pageEntries = pageEntries;
    this.#server = createServer((request, response) => this.#receive(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get cursor(): string {
    return `${this.epoch}.${this.entries.length}`;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.#beat = setInterval(() => {
      this.beats++;
      this.#tell(this.heartbeat());
    }, this.heartbeatMs);
    return this;
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
  }

  /** Commits an entry and tells it to whoever listens. */
  revoke(entry: unknown): void {
    const told = revocationFrame(entry, this.cursor);
    this.entries.push(entry);
    this.#tell(told);
  }

  /** The database is another one, as after a restore. */
  restore(epoch: string, entries: readonly unknown[]): void {
    this.epoch = epoch;
    this.entries = [...entries];
    this.endStreams('event: reset\ndata: {}\n\n');
  }

  /** @param bytes to say first */
  endStreams(bytes = ''): void {
    for (const stream of this.#streams) stream.end(bytes);
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.socket?.resetAndDestroy();
  }

  /** Whatever it is. */
  write(bytes: string): void {
    for (const stream of this.#streams) stream.write(bytes);
  }

  async connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count)));
  }

  heartbeat(sentMs = performance.now()): string {
    const { cursor, epoch } = this;
    return `event: heartbeat\nid: ${cursor}\ndata: ${JSON.stringify({ cursor, epoch, sentMs })}\n\n`;
  }

  #tell(bytes: string): void {
    if (!this.isMute) this.write(bytes);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://feed');
    const isStream = url.pathname.endsWith('/stream');
    this.requests.push(`${isStream ? 'stream' : 'pages'}${url.search}`);
    if (!this.intercept(request, response)) this.answer(request, response);
  }

  /** As the protocol says. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://feed');
    const cursor = url.searchParams.get('cursor');
    const from = cursor === null ? 0 : this.#position(cursor);
    if (from === undefined) answerProblem(response, 409, 'feed-reset');
    else if (url.pathname.endsWith('/stream')) this.#open(response, from);
    else this.#answerPage(request, response, url.searchParams.get('page') ?? `${this.cursor}.${from}`);
  }

  #position(cursor: string): number | undefined {
    const [epoch, position] = cursor.split('.');
    return epoch === this.epoch ? Number(position) : undefined;
  }

  #answerPage(request: IncomingMessage, response: ServerResponse, page: string): void {
    const { epoch, heartbeatMs } = this;
    const [of, end, from] = page.split('.');
    if (of !== epoch) return answerProblem(response, 409, 'feed-reset');
    const next = Number(from) + this.#pageEntries;
    const items = this.entries.slice(Number(from), next);
    const nextPage = next < this.entries.length ? `${of}.${end}.${next}` : null;
    const json = JSON.stringify({ epoch, cursor: `${of}.${end}`, heartbeatMs, items, nextPage });
    const isZipped = request.headers['accept-encoding']?.includes('gzip') === true;
    const encoding = isZipped ? { 'content-encoding': 'gzip' } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...encoding }).end(isZipped ? gzipSync(json) : json);
  }

  #open(response: ServerResponse, from: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 50\n\n');
    for (const entry of this.entries.slice(from)) response.write(revocationFrame(entry, this.cursor));
    response.write(this.heartbeat());
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }
}

export function answerProblem(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify({ code }));
}

const revocationFrame = (entry: unknown, cursor: string): string =>
  `event: revocation\nid: ${cursor}\ndata: ${JSON.stringify(entry)}\n\n`;

/** An entry that ends one token, for ten minutes. */
export const tokenEntry = (jti: string, given: Partial<Revocation> = {}): Revocation => ({
  kind: 'token',
  subject: jti,
  below: null,
  cause: 'logout',
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
  ...given,
});
