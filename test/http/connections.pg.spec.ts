import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import { connectionCount } from '../support/connection-count.js';
import { exchange, openSocket, request } from '../support/raw-http.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const [total, perAddress] = [50, 20];
/** The whole of 127.0.0.0/8 is this machine, so that one client can come from many addresses. */
const attacker = '127.0.0.2';

let gatehouse: Gatehouse;
/** Behind a proxy at 127.0.0.9. */
let proxied: Gatehouse;
let sockets: Socket[] = [];
/** Connections that the client of other requests keeps. */
let others = 0;

beforeAll(async () => {
  const limits = { MAX_CONNECTIONS: String(total), MAX_CONNECTIONS_PER_ADDRESS: String(perAddress) };
  gatehouse = await startGatehouse(limits);
  others = await connectionCount(gatehouse);
  proxied = await startGatehouse({ ...limits, TRUST_PROXY: '127.0.0.9' });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await vi.waitUntil(async () => (await connectionCount(gatehouse)) <= others);
});
afterAll(async () => {
  await gatehouse.stop();
  await proxied.stop();
});

async function open(count: number, from: (index: number) => string, { url } = gatehouse): Promise<Socket[]> {
  const opened = await Promise.all(Array.from({ length: count }, (_, index) => openSocket(url, from(index))));
  sockets = [...sockets, ...opened];
  return opened;
}
const probe = async (from: string, { url } = gatehouse): Promise<number | undefined> =>
  (await exchange({ url, from }, request('GET /health/ready')))[0]?.status;
const head = (path: string, ...headers: string[]): string =>
  `${[`${path} HTTP/1.1`, 'Host: a', ...headers].join('\r\n')}\r\n\r\n`;
const closedOf = (all: readonly Socket[]): number => all.filter(({ closed }) => closed).length;

test('silent connections of one address leave room for everybody, the address itself included', async () => {
  const silent = await open(total, () => attacker);
  expect(await probe('127.0.0.3')).toBe(200);
  expect(await probe(attacker)).toBe(200);
  expect(closedOf(silent.slice(0, total - perAddress))).toBe(total - perAddress);
  expect(await connectionCount(gatehouse)).toBeLessThanOrEqual(perAddress + 1 + others);
});

test('a probe gets in while connections of many addresses fill the service', async () => {
  const silent = await open(total + 10, (index) => `127.0.1.${index + 1}`);
  expect(await probe('127.0.0.3')).toBe(200);
  expect(closedOf(silent.slice(0, 10))).toBe(10);
  expect(await connectionCount(gatehouse)).toBeLessThanOrEqual(total);
});

test('a probe gets in while bodies of many addresses never come', async () => {
  const slow = await open(total, (index) => `127.0.2.${index + 1}`);
  for (const socket of slow) {
    socket.write(head('POST /v1/auth/login', 'Content-Type: application/json', 'Content-Length: 100'));
  }
  await expect.poll(() => connectionCount(gatehouse)).toBe(total);
  expect(await probe('127.0.0.3')).toBe(200);
});

test('when the service is full, the connection that has waited longest is closed, never one being answered', async () => {
  const [idle, busy] = await open(2, () => attacker);
  busy?.write(head('POST /v1/auth/login', 'Content-Type: application/json', 'Content-Length: 39'));
  busy?.write('{"userName":"nobody","password":"none"}');
  const answer = new Promise((resolve) => busy?.once('data', (bytes) => resolve(String(bytes))));
  await open(perAddress - 1, () => attacker);
  expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
  await expect.poll(() => idle?.closed).toBe(true);
});

test('the connections of a proxy that is trusted are not counted as those of one client', async () => {
  const kept = await open(perAddress + 10, () => '127.0.0.9', proxied);
  expect(await probe('127.0.0.9', proxied)).toBe(200);
  expect(closedOf(kept)).toBe(0);
  await open(total, (index) => `127.0.1.${index + 1}`, proxied);
  expect(await probe('127.0.0.3', proxied)).toBe(200);
  expect(closedOf(kept)).toBe(0);
});

const refused: readonly (readonly [string, string])[] = [
  ['a garbage request line', 'GARBAGE\r\n\r\n'],
  ['a head that is too large', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`],
  ['bytes of TLS', '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc'],
  [
    'a broken chunk',
    head('POST /v1/auth/login', 'Content-Type: application/json', 'Transfer-Encoding: chunked') + 'zz',
  ],
  ['CONNECT', head('CONNECT example.org:443')],
  ['a request to close', head('GET /health/live', 'Connection: close')],
  ['an unread body', `${head('POST /v1/messages', 'Content-Length: 1000')}a`],
  ['a body of far too many bytes', `${head('POST /v1/auth/login', 'Content-Length: 100000000')}a`],
];
test.for(refused)('after %s the connection is freed, though its client keeps its half open', async ([, bytes]) => {
  const { hostname, port } = new URL(gatehouse.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on('error', () => undefined);
  sockets.push(socket);
  socket.resume().write(bytes, 'latin1');
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  await expect.poll(() => connectionCount(gatehouse), { timeout: 4_000 }).toBeLessThanOrEqual(others);
});
