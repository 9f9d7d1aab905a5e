import { FeedFailure } from './feed-failure.js';

/** An event. `id` is the last one seen up to it; empty when there was none. */
export type StreamEvent = { readonly type: string; readonly data: string; readonly id: string };

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const empty = Buffer.alloc(0);

/**
 * Reads `text/event-stream` (HTML §9.2.6) from bytes in pieces of any size. What it keeps is
 * bounded, so that a peer that never ends a line costs no memory.
 */
export class EventStreamParser {
  /** Of a line that has not ended yet. */
  #rest: Buffer = empty;
  /** How many bytes of it have been searched for the end of the line. */
  #searched = 0;
  #isBegun = false;
  /** A line feed that comes now belongs to the line before. */
  #isAfterReturn = false;
  #type = '';
  #data: string[] = [];
  #eventBytes = 0;
  #id = '';
  #retryMs: number | undefined;

  /** @param limitBytes of an event, and of a line */
  constructor(private readonly limitBytes: number) {}

  /** How long to wait before connecting again, as the stream says. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /**
   * @returns the events that end in these bytes
   * @throws FeedFailure `malformed` when an event is longer than allowed
   */
  push(bytes: Uint8Array): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#skipMark()) return events;
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      if (line.length > 0) this.#readField(line);
      else this.#dispatch(events);
    }
    if (this.#eventBytes + this.#rest.length > this.limitBytes) this.#fail();
    return events;
  }

  /** @returns whether it is known that there is no byte order mark, or that it is over */
  #skipMark(): boolean {
    if (this.#isBegun) return true;
    const start = this.#rest.subarray(0, byteOrderMark.length);
    if (start.length < byteOrderMark.length && byteOrderMark.subarray(0, start.length).equals(start)) return false;
    this.#isBegun = true;
    if (start.equals(byteOrderMark)) this.#rest = this.#rest.subarray(byteOrderMark.length);
    return true;
  }

  #nextLine(): Buffer | undefined {
    if (this.#isAfterReturn && this.#rest.length > 0) {
      this.#isAfterReturn = false;
      if (this.#rest[0] === lineFeed) this.#rest = this.#rest.subarray(1);
    }
    const rest = this.#rest;
    let end = this.#searched;
    while (end < rest.length && rest[end] !== lineFeed && rest[end] !== carriageReturn) end++;
    this.#searched = end;
    if (end === rest.length) return undefined;
    this.#isAfterReturn = rest[end] === carriageReturn;
    this.#rest = rest.subarray(end + 1);
    this.#searched = 0;
    return rest.subarray(0, end);
  }

  #readField(line: Buffer): void {
    // a comment says nothing, and nothing of it is kept
    if (line[0] === colon) return;
    this.#eventBytes += line.length;
    if (this.#eventBytes > this.limitBytes) this.#fail();
    const text = line.toString('utf8');
    const [name = ''] = text.split(':', 1);
    const value = text.slice(name.length + 1).replace(/^ /, '');
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.#retryMs = Number(value);
  }

  #dispatch(events: StreamEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id });
    }
    this.#type = '';
    this.#data = [];
    this.#eventBytes = 0;
  }

  #fail(): never {
    throw new FeedFailure('malformed', `An event of the stream is longer than ${this.limitBytes} bytes.`);
  }
}
