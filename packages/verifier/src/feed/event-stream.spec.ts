import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { EventStreamParser, type StreamEvent } from './event-stream.js';

type StreamVector = {
  readonly name: string;
  readonly pieces: readonly (string | { readonly hex: string })[];
  readonly events: readonly StreamEvent[];
  readonly retryMs?: number;
};
const vectors = JSON.parse(readFileSync(new URL('../../../../docs/feed-vectors.json', import.meta.url), 'utf8')) as {
  readonly streams: readonly StreamVector[];
};
const limitBytes = 65_536;

test.for(vectors.streams)('$name', ({ pieces, events, retryMs }) => {
  const parser = new EventStreamParser(limitBytes);
  expect(pieces.flatMap((piece) => parser.push(bytesOf(piece)))).toEqual(events);
  expect(parser.retryMs).toBe(retryMs);
});

test('bytes give the same events however they are split', () => {
  for (const { pieces, events } of vectors.streams) {
    const bytes = Buffer.concat(pieces.map(bytesOf));
    for (let round = 0; round < 50; round++) expect(readInPieces(bytes)).toEqual(events);
  }
});

test('bytes that mean nothing give no event and no error', () => {
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(Array.from({ length: 500 }, () => Math.floor(Math.random() * 256)));
    expect(readInPieces(bytes)).toEqual(new EventStreamParser(limitBytes).push(bytes));
  }
});

test.for([
  ['a line that never ends', () => 'x'.repeat(1_000)],
  ['an event that never ends', () => `data: ${'x'.repeat(100)}\n`],
  ['fields that never become an event', () => 'id: c1\nevent: x\n'],
  ['a comment that never ends', (piece) => (piece === 0 ? ': ' : 'x'.repeat(1_000))],
] satisfies [string, (piece: number) => string][])('%s is given up at the limit', ([, pieceOf]) => {
  const parser = new EventStreamParser(limitBytes);
  const pushAll = (): void => {
    for (let piece = 0; piece < 10_000; piece++) parser.push(Buffer.from(pieceOf(piece)));
  };
  expect(pushAll).toThrow(expect.objectContaining({ reason: 'malformed' }));
});

test('comments for ever are no reason to give up', () => {
  const parser = new EventStreamParser(1_000);
  for (let piece = 0; piece < 10_000; piece++) parser.push(Buffer.from(`: ${'\u{fffd}'.repeat(100)}\n`));
  expect(parser.push(Buffer.from('data: 1\n\n'))).toHaveLength(1);
});

test('bytes that are no UTF-8 do not stretch the limit', () => {
  const parser = new EventStreamParser(1_000);
  const comment = Buffer.concat([Buffer.from(':'), Buffer.alloc(900, 0xff), Buffer.from('\n')]);
  const pushAll = (): void => {
    for (let piece = 0; piece < 10_000; piece++) {
      parser.push(comment);
      parser.push(Buffer.from('data: 12345678901234567890\n'));
    }
  };
  expect(pushAll).toThrow(expect.objectContaining({ reason: 'malformed' }));
});

function readInPieces(bytes: Buffer): readonly StreamEvent[] {
  const parser = new EventStreamParser(limitBytes);
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + Math.floor(Math.random() * 5);
    events.push(...parser.push(bytes.subarray(at, end)));
    at = end;
  }
  return events;
}

const bytesOf = (piece: string | { readonly hex: string }): Buffer =>
  typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.hex, 'hex');
