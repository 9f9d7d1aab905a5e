import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** One event of `GET /v1/auth/revocations/stream`. */
export type FeedEvent = {
  readonly event: string;
  readonly id: string | undefined;
  // an entry or a heartbeat: what tests look into
  readonly data: any;
  readonly atMs: number;
};

export type Stream = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What has come so far. */
  readonly events: readonly FeedEvent[];
  /** The bytes of it. */
  readonly text: () => string;
  /** Waits until an event is there that fits; generous, because a test machine is busy. */
  readonly until: (fits: (event: FeedEvent) => boolean) => Promise<FeedEvent>;
  /** Settles when the server has ended the stream, or `close` has. */
  readonly ended: Promise<void>;
  readonly close: () => void;
};

type Caller = { readonly headers: Readonly<Record<string, string>> };
type From = { readonly cursor?: string; readonly lastEventId?: string };

const patienceMs = 15_000;

/**
 * Opens the stream of a service and reads it as it comes, on a connection of its own: `fetch` would
 * open another one, and keep it, when the first is given up.
 */
export async function openStream(url: string, { headers }: Caller, from: From = {}): Promise<Stream> {
  const query = from.cursor === undefined ? '' : `?cursor=${encodeURIComponent(from.cursor)}`;
  const request = get(`${url}/v1/auth/revocations/stream${query}`, {
    agent: false,
    headers: { ...headers, ...(from.lastEventId !== undefined && { 'last-event-id': from.lastEventId }) },
  });
  const response: IncomingMessage = (await once(request, 'response'))[0];
  request.on('error', () => undefined);
  const events: FeedEvent[] = [];
  const waiting = new Set<() => void>();
  let text = '';
  const read = async (): Promise<void> => {
    let pending = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
      const blocks = (pending + String(chunk)).split('\n\n');
      pending = blocks.pop() ?? '';
      events.push(...blocks.flatMap(parseEvent));
      for (const look of waiting) look();
    }
  };
  let isOver = false;
  const ended = read()
    .catch(() => undefined)
    .then(() => {
      isOver = true;
      for (const look of waiting) look();
    });
  const until = (fits: (event: FeedEvent) => boolean): Promise<FeedEvent> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        waiting.delete(look);
        reject(new Error(`${why}; there came ${events.length}, at last ${JSON.stringify(events.slice(-3))}`));
      };
      const timer = setTimeout(() => fail('No such event came in time'), patienceMs);
      const look = (): void => {
        const found = events.find(fits);
        if (!found) return isOver ? fail('The stream ended before such an event came') : undefined;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => text,
    until,
    ended,
    close: () => void request.destroy(),
  };
}

function parseEvent(block: string): FeedEvent[] {
  const fields = new Map(block.split('\n').map((line): [string, string] => fieldOf(line)));
  const data = fields.get('data');
  if (data === undefined) return [];
  const event = fields.get('event') ?? 'message';
  return [{ event, id: fields.get('id'), data: JSON.parse(data), atMs: performance.now() }];
}

function fieldOf(line: string): [string, string] {
  const [name = '', ...value] = line.split(': ');
  return [name, value.join(': ')];
}

export const isHeartbeat = ({ event }: FeedEvent): boolean => event === 'heartbeat';
export const isReset = ({ event }: FeedEvent): boolean => event === 'reset';
/** Whether an event is the entry that ends this subject. */
export const names =
  (subject: string) =>
  ({ event, data }: FeedEvent): boolean =>
    event === 'revocation' && data.subject === subject;
