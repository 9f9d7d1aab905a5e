import { randomUUID } from 'node:crypto';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { tokenFact } from '../../packages/verifier/src/revocations/index.js';
import { answerProblem, FeedServer, tokenEntry } from '../support/feed-server.js';
import { knows, openWatchedFeed, waiting } from '../support/feeds.js';

let server: FeedServer;
beforeEach(async () => {
  server = await new FeedServer().listen();
});
afterEach(() => server.close());

const some = (count: number): readonly string[] => Array.from({ length: count }, () => randomUUID());

test('all pages are taken in before the feed is ready', async () => {
  const ids = some(8);
  server.entries = ids.map((jti) => tokenEntry(jti));
  const feed = openWatchedFeed(server.url);
  expect([feed.ageMs, feed.entries, feed.epoch]).toEqual([Number.POSITIVE_INFINITY, 0, undefined]);
  await feed.ready();
  expect(ids.every((jti) => knows(feed, jti))).toBe(true);
  expect(knows(feed, randomUUID())).toBe(false);
  expect([feed.entries, feed.epoch]).toEqual([8, 'first']);
  expect(feed.ageMs).toBeLessThan(10_000);
});

test('pages are asked for with the key, and with gzip', async () => {
  const headers: (readonly unknown[])[] = [];
  server.intercept = (request) => {
    headers.push([request.headers['x-service-key'], request.headers['accept-encoding']?.includes('gzip')]);
    return false;
  };
  await openWatchedFeed(server.url).ready();
  expect(headers[0]).toEqual(['orders.secret', true]);
});

test('the age of a walk counts from when it was begun', async () => {
  server.intercept = (request, response) => {
    if (request.url?.includes('/stream') === true) return false;
    setTimeout(() => server.answer(request, response), 300);
    return true;
  };
  const feed = openWatchedFeed(server.url);
  await feed.ready();
  expect(feed.ageMs).toBeGreaterThanOrEqual(299);
});

test('what is told again never takes anything back, in whichever order', async () => {
  const [user = '', token = ''] = some(2);
  const soon = new Date(Date.now() + 1_000).toISOString();
  server.entries = [
    tokenEntry(user, { kind: 'user', below: 7 }),
    tokenEntry(user, { kind: 'user', below: 3 }),
    tokenEntry(token),
    tokenEntry(token, { expiresAt: soon }),
  ];
  const feed = openWatchedFeed(server.url);
  await feed.ready();
  const now = Date.now() / 1_000;
  const isUserEnded = (generation: number): boolean => feed.isRevoked([tokenFact('user', user, generation)], now);
  expect([isUserEnded(6), isUserEnded(7)]).toEqual([true, false]);
  expect(feed.isRevoked([tokenFact('token', token)], now + 300)).toBe(true);
});

test('entries that expire in the far future or in the past are what they say', async () => {
  const [far = '', past = '', next = ''] = some(3);
  server.entries = [
    tokenEntry(far, { expiresAt: '9999-12-31T23:59:59.999Z' }),
    tokenEntry(past, { expiresAt: '1999-01-01T00:00:00Z' }),
    tokenEntry(next, { expiresAt: '2100-01-01T00:00:00+02:00' }),
  ];
  const feed = openWatchedFeed(server.url);
  await feed.ready();
  expect([knows(feed, far), knows(feed, past), knows(feed, next)]).toEqual([true, false, true]);
});

test('while the issuer is away the feed is not ready, and tries on', async () => {
  let refused = 0;
  let isReady = false;
  server.intercept = (_, response) => {
    if (refused === 3) return false;
    expect(isReady).toBe(false);
    refused++;
    answerProblem(response, 503, 'unavailable');
    return true;
  };
  const feed = openWatchedFeed(server.url);
  await feed.ready().then(() => (isReady = true));
  expect(refused).toBe(3);
  expect(feed.failures).toEqual(['The issuer answers 503.']);
});

test('Retry-After is waited for', async () => {
  const askedAtMs: number[] = [];
  server.intercept = (_, response) => {
    askedAtMs.push(performance.now());
    if (askedAtMs.length > 1) return false;
    answerProblem(response, 429, 'rate-limited', { 'retry-after': '1' });
    return true;
  };
  await openWatchedFeed(server.url).ready();
  expect((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0)).toBeGreaterThanOrEqual(999);
});

test('a key that is refused is reported, tried slowly, and good again when it is', async () => {
  server.intercept = (_, response) => {
    answerProblem(response, 401, 'invalid-service-key');
    return true;
  };
  const feed = openWatchedFeed(server.url);
  await expect.poll(() => feed.failures, waiting).toEqual(['The issuer answers 401.']);
  expect(feed.ageMs).toBe(Number.POSITIVE_INFINITY);
  server.intercept = () => false;
  await feed.ready();
  expect(server.requests.filter((request) => request.startsWith('pages')).length).toBeLessThan(5);
});

test.for([
  ['another kind of document', '<html></html>'],
  ['JSON that is no page', '[1]'],
  ['a page without a cursor', '{"epoch":"e","heartbeatMs":1000,"items":[],"nextPage":null}'],
  ['a page without entries', '{"epoch":"e","cursor":"c","heartbeatMs":1000,"items":{},"nextPage":null}'],
  ['a page longer than it may be', `"${'x'.repeat(9 * 1_024 * 1_024)}"`],
])('%s is no walk', async ([, body = '']) => {
  let isBroken = true;
  server.intercept = (_, response) => {
    if (isBroken) response.end(body);
    return isBroken;
  };
  const feed = openWatchedFeed(server.url);
  await expect.poll(() => feed.failures.length, waiting).toBeGreaterThan(0);
  expect(feed.ageMs).toBe(Number.POSITIVE_INFINITY);
  isBroken = false;
  await feed.ready();
});

test('an issuer that answers byte by byte is given up and asked again', async () => {
  let isSlow = true;
  server.intercept = (_, response) => {
    if (!isSlow) return false;
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
    return true;
  };
  const feed = openWatchedFeed(server.url, { requestTimeoutMs: 200 });
  await expect.poll(() => feed.failures, waiting).toEqual(['The issuer does not answer within 200 ms.']);
  isSlow = false;
  await feed.ready();
});

test('the key goes to nobody whom the issuer names', async () => {
  const other = await new FeedServer().listen();
  server.intercept = (request, response) => {
    response.writeHead(307, { location: `${other.url}${request.url}` }).end();
    return true;
  };
  const feed = openWatchedFeed(server.url);
  await expect.poll(() => feed.failures.length, waiting).toBeGreaterThan(0);
  expect(other.requests).toEqual([]);
  await other.close();
});

test.for([
  ['without a subject', tokenEntry('')],
  ['with a generation that is none', { ...tokenEntry('x'), below: '4' }],
  ['with an expiry that is none', tokenEntry('x', { expiresAt: 'tomorrow' })],
  ['that is no object', 'token'],
] as [string, unknown][])(
  'an entry %s makes nothing count as known, and the others are taken in',
  async ([, entry]) => {
    const [before = '', after = ''] = some(2);
    server.entries = [tokenEntry(before), entry, tokenEntry(randomUUID()), tokenEntry(randomUUID()), tokenEntry(after)];
    const feed = openWatchedFeed(server.url);
    await expect.poll(() => knows(feed, before) && knows(feed, after), waiting).toBe(true);
    expect(feed.ageMs).toBe(Number.POSITIVE_INFINITY);
    server.entries.splice(1, 1);
    await feed.ready();
    expect(feed.ageMs).toBeLessThan(10_000);
  },
);

test('an entry of an unknown kind is stale until it expires, and the others are taken in', async () => {
  const token = randomUUID();
  const expiresAt = new Date(Date.now() + 2_000).toISOString();
  server.entries = [{ ...tokenEntry('x', { expiresAt }), kind: 'planet' }, tokenEntry(token)];
  const feed = openWatchedFeed(server.url);
  await feed.ready();
  expect([knows(feed, token), feed.ageMs]).toEqual([true, Number.POSITIVE_INFINITY]);
  await expect.poll(() => feed.ageMs, waiting).toBeLessThan(10_000);
});
