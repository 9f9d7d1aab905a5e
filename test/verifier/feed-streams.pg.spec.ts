import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { answerProblem, FeedServer, tokenEntry } from '../support/feed-server.js';
import { knows, openWatchedFeed, waiting, type WatchedFeed } from '../support/feeds.js';
import { type Proxy, startProxy } from '../support/tcp-proxy.js';

let server: FeedServer;
let proxy: Proxy;
beforeEach(async () => {
  server = await new FeedServer().listen();
  proxy = await startProxy(server.url);
});
afterEach(async () => {
  await proxy.cut();
  await server.close();
});

const isStream = ({ url }: IncomingMessage): boolean => url?.includes('/stream') === true;

/** What is told can be heard by the stream alone. */
function forbidPages(): void {
  server.intercept = (request, response) => {
    if (isStream(request)) return false;
    answerProblem(response, 503, 'unavailable');
    return true;
  };
}

/** What is told can be heard by pages alone. */
function replaceStreams(answer: (response: ServerResponse) => void): void {
  server.intercept = (request, response) => {
    if (isStream(request)) answer(response);
    return isStream(request);
  };
}

async function openListening(url = server.url): Promise<WatchedFeed> {
  const feed = openWatchedFeed(url);
  await feed.ready();
  await expect.poll(() => server.openStreams, waiting).toBe(1);
  return feed;
}

async function hears(feed: WatchedFeed, jti = randomUUID()): Promise<void> {
  server.revoke(tokenEntry(jti));
  await expect.poll(() => knows(feed, jti), waiting).toBe(true);
}

test('what is revoked is heard by the stream, which also keeps what is known fresh', async () => {
  const feed = await openListening();
  forbidPages();
  const asked = server.requests.length;
  for (let round = 0; round < 3; round++) await hears(feed);
  const beats = server.beats;
  await expect.poll(() => server.beats, waiting).toBeGreaterThan(beats + 5);
  await expect.poll(() => feed.ageMs, waiting).toBeLessThan(server.heartbeatMs * 5);
  expect(server.requests.slice(asked).filter((request) => request.startsWith('stream'))).toEqual([]);
});

test.for([
  ['cut', () => server.cutStreams()],
  ['ended', () => server.endStreams()],
  ['reset', () => server.endStreams('event: reset\ndata: {}\n\n')],
  ['cut in the middle of an event', () => server.endStreams('event: revocation\nid: first.99\ndata: {"kind"')],
  ['cut by what is between', async () => proxy.cut().then(() => proxy.mend())],
] as [string, () => void | Promise<void>][])('nothing is missed when the stream is %s', async ([, end]) => {
  const feed = await openListening(proxy.url);
  forbidPages();
  for (let round = 0; round < 3; round++) {
    const missed = randomUUID();
    await end();
    server.entries.push(tokenEntry(missed));
    await expect.poll(() => knows(feed, missed), waiting).toBe(true);
    await hears(feed);
  }
  // on a busy machine a page may be asked for meanwhile
  const last = server.requests.findLast((request) => request.startsWith('stream'));
  expect(last).toMatch(/^stream\?cursor=first\.\d/);
});

test('while there is no stream, what is known is kept fresh by pages', async () => {
  const feed = await openListening();
  replaceStreams((response) => answerProblem(response, 503, 'too-many-streams', { 'retry-after': '60' }));
  server.cutStreams();
  for (let round = 0; round < 5; round++) await hears(feed);
  await expect.poll(() => feed.ageMs, waiting).toBeLessThan(server.heartbeatMs * 5);
  expect(server.requests.filter((request) => request.startsWith('stream')).length).toBeLessThanOrEqual(2);
});

test.for([
  ['held back', () => undefined],
  ['answered by something else', (response) => response.end('<html></html>')],
  ['refused by something else', (response) => response.writeHead(502).end('Bad Gateway')],
  ['told nothing', (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')],
] as [string, (response: ServerResponse) => void][])('where streams are %s, pages do', async ([, answer]) => {
  replaceStreams(answer);
  const feed = openWatchedFeed(server.url);
  await feed.ready();
  for (let round = 0; round < 10; round++) await hears(feed);
  const polls = server.requests.filter((request) => request.startsWith('pages') && request.includes('cursor='));
  expect(polls.length).toBeGreaterThan(5);
});

test('a connection that swallows everything is given up, and what was told meanwhile is heard', async () => {
  const feed = await openListening(proxy.url);
  proxy.stall();
  const missed = randomUUID();
  server.revoke(tokenEntry(missed));
  await expect.poll(() => feed.ageMs, waiting).toBeGreaterThan(server.heartbeatMs * 4);
  expect(knows(feed, missed)).toBe(false);
  await proxy.cut();
  await proxy.mend();
  await expect.poll(() => knows(feed, missed), waiting).toBe(true);
});

test('a stream that swallows everything is replaced while the issuer is reachable', async () => {
  const feed = await openListening();
  server.isMute = true;
  await expect.poll(() => server.openStreams, waiting).toBeGreaterThanOrEqual(1);
  const streams = server.requests.filter((request) => request.startsWith('stream')).length;
  await hears(feed);
  await expect
    .poll(() => server.requests.filter((request) => request.startsWith('stream')).length, waiting)
    .toBeGreaterThan(streams);
});

test('heartbeats that were held up do not look fresh', async () => {
  const feed = await openListening();
  forbidPages();
  const sentMs = performance.now();
  server.isMute = true;
  const late = setInterval(() => server.write(server.heartbeat(sentMs)), 20);
  await expect.poll(() => feed.ageMs, waiting).toBeGreaterThan(server.heartbeatMs * 5);
  clearInterval(late);
});

test('another history is read from its beginning, and takes nothing back', async () => {
  const feed = await openListening();
  const [heard, forgotten, other] = [randomUUID(), randomUUID(), randomUUID()];
  await hears(feed, heard);
  await hears(feed, forgotten);
  server.restore('second', [tokenEntry(heard), tokenEntry(other)]);
  await expect.poll(() => knows(feed, other), waiting).toBe(true);
  expect([knows(feed, heard), knows(feed, forgotten)]).toEqual([true, true]);
  await expect.poll(() => [feed.epoch, feed.resets()], waiting).toEqual(['second', 1]);
  await hears(feed);
});

test('a heartbeat of another history is none, and has everything read', async () => {
  const feed = await openListening();
  const other = randomUUID();
  server.entries = [tokenEntry(other)];
  server.epoch = 'second';
  await expect.poll(() => knows(feed, other), waiting).toBe(true);
  await expect.poll(() => feed.epoch, waiting).toBe('second');
});

test.for([
  ['an entry that cannot be read', 'event: revocation\ndata: {"kind":"token"}\n\n'],
  ['an entry that is no JSON', 'event: revocation\ndata: {"kind":\n\n'],
  ['a line that does not end', 'x'.repeat(100_000)],
  ['a heartbeat without a time', 'event: heartbeat\ndata: {"cursor":"first.0","epoch":"first"}\n\n'],
])('after %s nothing counts as known until all was read', async ([, bytes = '']) => {
  const feed = await openListening();
  forbidPages();
  server.write(bytes);
  await expect.poll(() => feed.ageMs, waiting).toBe(Number.POSITIVE_INFINITY);
  const [asked, lost] = [server.requests.length, randomUUID()];
  server.entries.push(tokenEntry(lost));
  server.intercept = () => false;
  await expect.poll(() => feed.ageMs, waiting).toBeLessThan(10_000);
  expect(knows(feed, lost)).toBe(true);
  expect(server.requests.slice(asked).some((request) => request.startsWith('pages?limit='))).toBe(true);
  await hears(feed);
});

test('events and comments that nobody knows mean nothing', async () => {
  const feed = await openListening();
  server.write(': still here\n\nevent: weather\nid: nonsense\ndata: rain\n\n');
  await hears(feed);
  expect(feed.failures).toEqual([]);
});

test('after it was closed there is no connection', async () => {
  const feed = await openListening();
  await feed.close();
  await expect.poll(() => server.connections(), waiting).toBe(0);
  await feed.close();
  expect(feed.failures).toEqual([]);
});

test('what is closed before it was ready is nothing known', async () => {
  const feed = openWatchedFeed('http://127.0.0.1:1');
  await expect.poll(() => feed.failures.length, waiting).toBeGreaterThan(0);
  await feed.close();
  await feed.ready();
  expect(feed.ageMs).toBe(Number.POSITIVE_INFINITY);
});

test.for([
  [
    'ends each stream at once',
    (request, response) => {
      server.answer(request, response);
      response.end('event: reset\ndata: {}\n\n');
    },
  ],
  ['has another history on each stream', (_, response) => answerProblem(response, 409, 'feed-reset')],
] as [string, (request: IncomingMessage, response: ServerResponse) => void][])(
  'an issuer that %s is not asked in a hurry',
  async ([, answer]) => {
    server.intercept = (request, response) => {
      if (isStream(request)) answer(request, response);
      return isStream(request);
    };
    const feed = openWatchedFeed(server.url);
    await feed.ready();
    await sleep(3_000);
    // a loop without a wait asks hundreds of times
    expect(server.requests.filter((request) => !request.includes('pages?limit=2000&cursor')).length).toBeLessThan(40);
    await hears(feed);
  },
);
