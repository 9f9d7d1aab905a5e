import { beforeAll, describe, expect, test } from 'vitest';

import { isHeartbeat, openStream } from '../support/feed-stream.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { openSocket } from '../support/raw-http.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const metricsToken = 'a-token-for-the-scraper';
const gatehouse = useGatehouse({ environment: { MAX_REVOCATION_STREAMS: '2', METRICS_TOKEN: metricsToken } });
const path = '/v1/auth/revocations/stream';
let token: string;
let service: Service;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  service = await newService(gatehouse, { token, scopes: ['revocations:read'] });
});

async function metric(name: string): Promise<number> {
  const headers = { authorization: `Bearer ${metricsToken}` };
  const text = await (await fetch(`${gatehouse.url}/metrics`, { headers })).text();
  const line = text.split('\n').find((one) => one.startsWith(`gatehouse_${name} `));
  return Number(line?.slice(line.lastIndexOf(' ')));
}
async function allGone(): Promise<void> {
  await expect.poll(() => metric('revocation_feed_listeners'), { timeout: 10_000 }).toBe(0);
}

const encode = (...position: unknown[]): string => Buffer.from(JSON.stringify(position)).toString('base64url');

async function ahead(): Promise<string> {
  const stream = await openStream(gatehouse.url, service);
  const { data } = await stream.until(isHeartbeat);
  stream.close();
  return encode(data.epoch, '18446744073709551000');
}

describe('before the stream begins', () => {
  const refused: [string, () => string | Promise<string>, number, string][] = [
    ['a cursor that is none', () => 'garbage', 400, 'invalid-cursor'],
    ['an empty cursor', () => '', 400, 'invalid-cursor'],
    ['a cursor of another epoch', () => encode('a'.repeat(22), '1'), 409, 'feed-reset'],
    ['a cursor of the future', ahead, 409, 'feed-reset'],
  ];
  test.each(refused)('%s is refused', async (_, cursorOf, status, code) => {
    const cursor = await cursorOf();
    const { headers } = service;
    const answer = await gatehouse.api.get(`${path}?cursor=${encodeURIComponent(cursor)}`, { headers });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('two cursors are refused', async () => {
    const { headers } = service;
    expect((await gatehouse.api.get(`${path}?cursor=a&cursor=b`, { headers })).status).toBe(400);
  });

  test('nobody, a user, and a service without the scope are refused', async () => {
    const person = await newPerson(gatehouse);
    const other = await newService(gatehouse, { token, scopes: ['users:read'] });
    const statuses = [
      await gatehouse.api.get(path),
      await gatehouse.api.get(path, { token: person.token }),
      await gatehouse.api.get(path, { token }),
      await gatehouse.api.get(path, { headers: other.headers }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 403, 403, 403]);
  });
});

test('HEAD has the head of the stream, and ends', async () => {
  const { status, headers } = await fetch(gatehouse.url + path, { method: 'HEAD', headers: service.headers });
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('text/event-stream');
  await allGone();
});

test('the answer may be neither kept nor held back by what is between', async () => {
  const { status, headers, close } = await openStream(gatehouse.url, service);
  close();
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  expect(headers).not.toHaveProperty('content-encoding');
  await allGone();
});

test('HTTP/1.0 gets the events without chunks between them', async () => {
  const socket = await openSocket(gatehouse.url);
  let text = '';
  socket.on('data', (bytes) => (text += bytes.toString()));
  socket.write(`GET ${path} HTTP/1.0\r\nX-Service-Key: ${service.headers['x-service-key']}\r\n\r\n`);
  await expect.poll(() => text, { timeout: 10_000 }).toContain('event: heartbeat');
  socket.destroy();
  expect(text).not.toMatch(/transfer-encoding/i);
  expect(text).toMatch(/\r\n\r\nretry: \d{4}\n\nevent: /);
  await allGone();
});

test('a stream that waits behind another on its connection takes no place', async () => {
  const socket = await openSocket(gatehouse.url);
  let text = '';
  socket.on('data', (bytes) => (text += bytes.toString()));
  const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Service-Key: ${service.headers['x-service-key']}\r\n\r\n`;
  socket.write(request + request + request);
  await expect.poll(() => text, { timeout: 10_000 }).toContain('event: heartbeat');
  expect(await metric('revocation_feed_listeners')).toBe(1);
  socket.destroy();
  await allGone();
});

test('streams are asked to come back at different times', async () => {
  const seen = new Set<string>();
  for (let count = 0; count < 5; count++) {
    const stream = await openStream(gatehouse.url, service);
    await stream.until(isHeartbeat);
    seen.add(/^retry: (\d+)\n\n/.exec(stream.text())?.[1] ?? '');
    stream.close();
    await allGone();
  }
  expect(seen.size).toBeGreaterThan(1);
  for (const after of seen) expect(Number(after) >= 1_000 && Number(after) <= 3_000, after).toBe(true);
});

test('a replica takes so many streams and no more, until one is over', async () => {
  const [first, second] = [await openStream(gatehouse.url, service), await openStream(gatehouse.url, service)];
  expect(await metric('revocation_feed_listeners')).toBe(2);
  const answer = await gatehouse.api.get(path, { headers: service.headers });
  expect([answer.status, answer.body.code]).toEqual([503, 'too-many-streams']);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  first.close();
  await expect.poll(() => metric('revocation_feed_listeners'), { timeout: 10_000 }).toBe(1);
  const third = await openStream(gatehouse.url, service);
  expect(third.status).toBe(200);
  second.close();
  third.close();
  await allGone();
});

test('the log has a line when the stream is over, and who hung up had an answer', async () => {
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  const id = stream.headers['x-request-id'];
  const lines = () => gatehouse.log.filter(({ requestId }) => requestId === id);
  expect(lines()).toEqual([]);
  stream.close();
  await expect.poll(() => lines().length, { timeout: 10_000 }).toBe(1);
  expect(lines()[0]).toMatchObject({ status: 200, handler: 'StreamController.stream', route: path });
  expect(lines()[0]).not.toHaveProperty('errorCode');
});

test('how long a stream was open is not among the times of answers', async () => {
  const stream = await openStream(gatehouse.url, service);
  await stream.until(isHeartbeat);
  stream.close();
  await allGone();
  const labels = `{route="${path}",method="GET"}`;
  expect(await metric(`http_request_duration_seconds_count${labels}`)).toBe(0);
});
