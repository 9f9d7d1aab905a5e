import { execFile } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { openSocket } from '../support/raw-http.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
/** Each more than its route takes, and little enough to be read away. */
const [ofLogin, ofMessages] = [20_000, 1_000_000];
const tooMuch = 10 * 1024 * 1024;
const times = 10;

/**
 * Clients of their own process, as theirs are: they notice a reset before they
 * have read what came before it.
 */
const clients = {
  fetch: (body: string) => `
    const answer = await fetch(url, { method: 'POST', headers, body: ${body} });
    return answer.status + ' ' + (await answer.json()).code;`,
  'one that sends all before it reads': (body: string) => `
    const [{ hostname, port, pathname }, bytes] = [new URL(url), ${body}];
    const socket = require('node:net').connect(port, hostname).pause();
    const head = ['POST ' + pathname + ' HTTP/1.1', 'Host: ' + hostname, 'Content-Length: ' + bytes.length];
    for (const [name, value] of Object.entries(headers)) head.push(name + ': ' + value);
    await new Promise((sent, failed) => socket.on('error', failed).write(head.join('\\r\\n') + '\\r\\n\\r\\n', () => socket.write(bytes, sent)));
    const [answer] = await require('node:events').once(socket.resume(), 'data');
    socket.destroy();
    return String(answer).slice(9, 12) + ' ' + /"code":"([\\w-]+)"/.exec(answer)[1];`,
};

async function answersTo(
  client: keyof typeof clients,
  { path = '/v1/auth/login', count = ofLogin, headers = {} }: { path?: string; count?: number; headers?: object },
): Promise<readonly string[]> {
  const body = `Buffer.alloc(${count}, 'a')`;
  const script = `
    const url = ${JSON.stringify(gatehouse.url + path)};
    const headers = ${JSON.stringify({ 'content-type': 'application/json', ...headers })};
    const send = async () => {${clients[client](body)}};
    (async () => { for (let at = 0; at < ${times}; at++) console.log(await send().catch((error) => String(error.cause ?? error))); })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script]);
  return stdout.trim().split('\n');
}

const head = (length: number): string =>
  `POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
const refused = Array.from({ length: times }, () => '413 body-too-large');

test.for([
  ['fetch', {}],
  ['fetch', { count: ofMessages }],
  ['fetch', { path: '/v1/messages', count: ofMessages }],
  ['fetch', { count: ofMessages, headers: { origin: 'https://app.example.org' } }],
  ['one that sends all before it reads', { count: ofMessages }],
] as const)('who sends a little too much gets its answer, not a reset: %s, %j', async ([client, request]) => {
  expect(await answersTo(client, request)).toEqual(refused);
});

test('its connection stays', async () => {
  const socket = await openSocket(gatehouse.url);
  socket.write(head(ofMessages));
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 413 /);
  socket.write(Buffer.alloc(ofMessages));
  socket.write(`${head(2)}{}`);
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 400 .*"invalid-request"/s);
  socket.destroy();
});

test.for([ofMessages, tooMuch])('who goes on sending %d bytes slowly, or much more, is cut off', async (length) => {
  const socket = await openSocket(gatehouse.url);
  socket.on('error', () => undefined);
  // it may be reset, which is an error too
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(head(length));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 413 .*"code":"body-too-large"/s);
  const sending = setInterval(() => socket.write(Buffer.alloc(10)), 20);
  await closed;
  clearInterval(sending);
});

test('each is a line in the log, with its route', async () => {
  const { log } = gatehouse;
  const before = log.length;
  await answersTo('fetch', {});
  const lines = (): readonly object[] => log.slice(before).filter(({ msg }) => msg === 'request');
  const line = { method: 'POST', route: '/v1/auth/login', status: 413, errorCode: 'body-too-large' };
  await expect.poll(lines).toMatchObject(Array.from({ length: times }, () => line));
});
