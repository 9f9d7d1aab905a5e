import { EventStreamParser, type StreamEvent } from './event-stream.js';
import { FeedFailure } from './feed-failure.js';
import { type FeedPage, readJson, readPage } from './feed-messages.js';

export type FeedClientOptions = {
  /** Base of the issuer's addresses, without a slash at the end. */
  readonly url: string;
  readonly serviceKey: string;
  readonly fetch: typeof fetch;
  /** How long a page may take. */
  readonly requestTimeoutMs: number;
};

export type PageRequest = { readonly cursor?: string | undefined; readonly page?: string | undefined };

/** Some 350 KB a page: what is read at once stays small beside the table. */
const pageEntries = 2_000;
const limitPageBytes = 8 * 1_024 * 1_024;
const limitEventBytes = 64 * 1_024;
/** An issuer that asks for more is asked again after this. */
const limitRetryAfterMs = 60_000;

/**
 * The two requests of the feed. It asks by `fetch` as the rest of the package does, so that a proxy
 * or certificates given for that hold here too; its idle connections keep no process alive.
 */
export class FeedClient {
  constructor(private readonly options: FeedClientOptions) {}

  /** @throws FeedFailure, or what `fetch` throws */
  async readPage({ cursor, page }: PageRequest, signal: AbortSignal): Promise<FeedPage> {
    const query = new URLSearchParams({ limit: `${pageEntries}` });
    if (page !== undefined) query.set('page', page);
    else if (cursor !== undefined) query.set('cursor', cursor);
    return this.#inTime(signal, async (inTime) => {
      const answer = await this.#ask(`?${query.toString()}`, { accept: 'application/json' }, inTime);
      return readPage(readJson(await readText(answer)));
    });
  }

  /**
   * The events of a stream, until it ends.
   * @param onRetry hears how long the issuer wants us to wait before the next stream
   * @throws as `readPage`
   */
  async *events(cursor: string, signal: AbortSignal, onRetry: (ms: number) => void): AsyncGenerator<StreamEvent> {
    // compression would have something on the way collect what should come at once
    const headers = { accept: 'text/event-stream', 'accept-encoding': 'identity' };
    const answer = await this.#ask(`/stream?cursor=${encodeURIComponent(cursor)}`, headers, signal);
    if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
      await answer.body?.cancel();
      throw new FeedFailure('unavailable', 'The answer is no stream of events.');
    }
    const parser = new EventStreamParser(limitEventBytes);
    for await (const bytes of answer.body ?? []) {
      yield* parser.push(bytes);
      if (parser.retryMs !== undefined) onRetry(parser.retryMs);
    }
  }

  /** As `AbortSignal.any` would; that keeps memory for a signal that lives long in Node 20. */
  async #inTime<Answer>(signal: AbortSignal, ask: (inTime: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { requestTimeoutMs } = this.options;
    const inTime = new AbortController();
    const end = (): void => inTime.abort(signal.reason);
    const timer = setTimeout(() => {
      inTime.abort(new FeedFailure('unavailable', `The issuer does not answer within ${requestTimeoutMs} ms.`));
    }, requestTimeoutMs);
    signal.addEventListener('abort', end);
    try {
      signal.throwIfAborted();
      return await ask(inTime.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  async #ask(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const { url, serviceKey, fetch: ask } = this.options;
    const answer = await ask(`${url}/v1/auth/revocations${path}`, {
      headers: { ...headers, 'x-service-key': serviceKey },
      // the key goes to nobody else
      redirect: 'error',
      cache: 'no-store',
      signal,
    });
    if (answer.status === 200) return answer;
    await answer.body?.cancel();
    throw failureOf(answer, path);
  }
}

function failureOf({ status, headers }: Response, path: string): FeedFailure {
  const message = `The issuer answers ${status}.`;
  const isOfPosition = /[?&](cursor|page)=/.test(path);
  if (isOfPosition && (status === 409 || status === 400)) return new FeedFailure('reset', message);
  if (status === 401 || status === 403) return new FeedFailure('denied', message);
  return new FeedFailure('unavailable', message, readRetryAfter(headers.get('retry-after')));
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function readRetryAfter(value: string | null): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return ms > 0 ? Math.min(ms, limitRetryAfterMs) : 0;
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // leaving the loop early cancels the body
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > limitPageBytes) throw new FeedFailure('malformed', `A page is longer than ${limitPageBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
