import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HibpRange } from './hibp.js';

const password = 'correct horse battery staple';
const sha1 = hash('sha1', password, 'hex').toUpperCase();
const suffix = sha1.slice(5);
const otherLine = `${'0'.repeat(34)}1:12`;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function rangeServer(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function askServerThatAnswers(body: string): Promise<boolean> {
  const baseUrl = await rangeServer((_, response) => response.end(body));
  return new HibpRange({ baseUrl, timeoutMs: 1000 }).isBreached(password);
}

describe('the request', () => {
  test('carries five digits of the SHA-1, asks for padding and tells nothing else', async () => {
    const seen: { url?: string | undefined; padding?: unknown } = {};
    const baseUrl = await rangeServer((request, response) => {
      Object.assign(seen, { url: request.url, padding: request.headers['add-padding'] });
      response.end(otherLine);
    });
    await new HibpRange({ baseUrl: `${baseUrl}/mirror/`, timeoutMs: 1000 }).isBreached(password);
    expect(seen).toEqual({ url: `/mirror/range/${sha1.slice(0, 5)}`, padding: 'true' });
  });
});

describe('the verdict', () => {
  test.each([
    ['breached, when the suffix is listed', `${otherLine}\r\n${suffix}:3\r\n`, true],
    ['breached, in lower case and without a last line end', `${otherLine}\n${suffix.toLowerCase()}:1`, true],
    ['not breached, when only others are listed', otherLine, false],
    ['not breached, when the suffix is padding', `${otherLine}\r\n${suffix}:0`, false],
  ])('is %s', async (_, body, expected) => expect(await askServerThatAnswers(body)).toBe(expected));
});

describe('no verdict, but an error', () => {
  test.each([
    ['a web page', '<html>Please log in</html>'],
    ['an empty answer', ''],
    ['a list with a broken line', `${otherLine}\r\n${suffix}`],
  ])('after %s with status 200', async (_, body) => {
    await expect(askServerThatAnswers(body)).rejects.toThrow('not a range');
  });

  test('after status 503', async () => {
    const baseUrl = await rangeServer((_, response) => response.writeHead(503).end());
    await expect(new HibpRange({ baseUrl, timeoutMs: 1000 }).isBreached(password)).rejects.toThrow('503');
  });

  test('after a redirect', async () => {
    const baseUrl = await rangeServer((request, response) => {
      if (request.url === '/elsewhere') response.end(otherLine);
      else response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await expect(new HibpRange({ baseUrl, timeoutMs: 1000 }).isBreached(password)).rejects.toThrow();
  });

  test('when nothing listens', async () => {
    const baseUrl = await rangeServer(() => undefined);
    server?.close();
    await expect(new HibpRange({ baseUrl, timeoutMs: 1000 }).isBreached(password)).rejects.toThrow();
  });

  test.each([
    ['the answer does not begin in time', (() => undefined) satisfies RequestListener],
    ['the answer does not end in time', ((_, response) => void response.write(otherLine)) satisfies RequestListener],
  ])('when %s', async (_, listener) => {
    const baseUrl = await rangeServer(listener);
    const range = new HibpRange({ baseUrl, timeoutMs: 50 });
    await expect(range.isBreached(password)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
