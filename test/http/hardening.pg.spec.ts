import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { newMessage } from '../support/messages.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { exchange, openSocket, request } from '../support/raw-http.js';
import { newService } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const app = 'https://app.example.org';
/** Subdomains, apps made of pages, browser extensions, a developer's machine. */
const others = [
  'https://*.example.net',
  'https://*.example.com:8443',
  'capacitor://localhost',
  'ionic://localhost',
  'tauri://localhost',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  'http://localhost:5173',
];
const gatehouse = useGatehouse();
/** Called by pages of `app`. */
let open: Gatehouse;

beforeAll(async () => {
  slow = Promise.all([
    dawdle('GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: '),
    dawdle(`${login}Content-Length: 500\r\n\r\n{`),
  ]);
  open = await startGatehouse({ CORS_ORIGINS: [app, ...others].join(',') });
});
afterAll(async () => {
  await open.stop();
});

const login = 'POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
/**
 * What clients got that send a byte every half second; begun at once,
 * since it takes the whole time-out.
 */
let slow: Promise<readonly string[]>;

async function dawdle(start: string): Promise<string> {
  const socket = await openSocket(gatehouse.url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close').then(() => true);
  socket.write(start);
  for (let tries = 0; tries < 60 && !(await Promise.race([closed, sleep(500, false)])); tries++) {
    if (socket.writable) socket.write('a');
  }
  return Buffer.concat(chunks).toString();
}

const preflight = (url: string, origin: string): Promise<Response> =>
  fetch(`${url}/v1/users/me`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,content-type,if-match',
    },
  });
const corsOf = ({ headers }: { headers: Headers }): string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'));

test('every answer has the headers that helmet sets for an API', async () => {
  for (const path of ['/health/live', '/v1/users/me', '/v1/nothing', '/v1/%zz']) {
    const { headers } = await gatehouse.api.get(path);
    expect(Object.fromEntries(headers), path).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'origin-agent-cluster': '?1',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-dns-prefetch-control': 'off',
      'x-download-options': 'noopen',
      'x-frame-options': 'DENY',
      'x-permitted-cross-domain-policies': 'none',
      'x-xss-protection': '0',
    });
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
  }
});

describe('pages of other origins', () => {
  test('may not call the API by default', async () => {
    expect(corsOf(await gatehouse.api.get('/v1/users/me', { headers: { origin: app } }))).toEqual([]);
    const answer = await preflight(gatehouse.url, app);
    expect([answer.status, corsOf(answer)]).toEqual([405, []]);
  });

  test('may where they are named, and read what they need', async () => {
    const asked = await preflight(open.url, app);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'authorization,content-type,if-match',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    });
    const { status, headers } = await open.api.get('/v1/users/me', { headers: { origin: app } });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, app]);
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    for (const name of ['ETag', 'Link', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id']) {
      expect(exposed).toContain(name);
    }
  });

  test.each([
    'https://a.example.net',
    'https://a.b-c.example.net',
    'https://a.example.com:8443',
    ...others.filter((origin) => !origin.includes('*')),
  ])('may from %s', async (origin) => {
    const { headers } = await open.api.get('/v1/users/me', { headers: { origin } });
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([origin, 'Origin']);
    expect((await preflight(open.url, origin)).headers.get('access-control-allow-origin')).toBe(origin);
  });

  test.each([
    'https://app.example.org.evil.example',
    'http://app.example.org',
    'null',
    'https://example.net',
    'https://evil-example.net',
    'https://example.net.evil.example',
    'https://a.example.net.evil.example',
    'https://evil.example/.example.net',
    'https://a.example.net:8443',
    'http://a.example.net',
    'https://a.example.com',
    'https://.example.net',
    'capacitor://localhost.evil.example',
    'chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba',
    'http://localhost:5174',
  ])('may not where they only look like it: %s', async (origin) => {
    const { headers } = await open.api.get('/v1/users/me', { headers: { origin } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')).toMatch(/origin/i);
    expect((await preflight(open.url, origin)).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('have answers that caches keep apart by origin, where these depend on another header too', async () => {
    const person = await newPerson(open);
    const message = await newMessage(open, { token: person.token });
    const service = await newService(open, {
      token: (await signInAdmin(open)).token,
      scopes: ['revocations:read'],
    });
    const varyOf = async (path: string, call: { token?: string; headers?: Record<string, string> } = {}) =>
      (await open.api.get(path, { ...call, headers: { ...call.headers, origin: app } })).headers.get('vary');
    expect(await varyOf('/')).toBe('Origin, Accept');
    expect(await varyOf(message.path, { token: person.token })).toBe('Origin, accept');
    expect(await varyOf('/v1/auth/revocations', service)).toBe('Origin, Accept-Encoding');
  });

  test('leave wrong addresses and methods what they are', async () => {
    expect((await open.api.get('/v1/nothing')).body.code).toBe('not-found');
    const wrong = await open.api.put('/v1/users', { body: {} });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });
});

test('while the event loop is late requests get 503 at once, and probes are answered', async () => {
  const late = await startGatehouse({ MAX_LOOP_DELAY_MS: '40' });
  const turn = async (): Promise<number> => {
    const until = performance.now() + 120;
    while (performance.now() < until);
    return (await late.api.get('/v1/users/me')).status;
  };
  await expect.poll(turn, { timeout: 10_000, interval: 1 }).toBe(503);
  const [refused, ...probes] = await Promise.all(
    ['/v1/users/me', '/health/live', '/health/ready'].map((path) => late.api.get(path)),
  );
  expect([refused?.body.code, refused?.headers.get('retry-after')]).toEqual(['overloaded', '2']);
  expect(probes.map(({ status }) => status)).toEqual([200, 200]);
  await expect.poll(() => late.api.get('/v1/users/me').then(({ status }) => status), { timeout: 10_000 }).toBe(401);
  await late.stop();
});

test('large bodies are refused by their length, before they are read', async () => {
  const line = 'POST /v1/auth/login';
  const headers = ['Content-Type: application/json', `Content-Length: ${10 * 1024 * 1024}`];
  const head = `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n{`;
  const [answer] = await exchange(gatehouse.url, head);
  expect([answer?.status, answer?.body.code]).toEqual([413, 'body-too-large']);
  const deep = '['.repeat(100_000);
  const [refused] = await exchange(
    gatehouse.url,
    request(line, { headers: ['Content-Type: application/json'], body: deep }),
  );
  expect(refused?.status).toBe(413);
});

test('clients that take too long for their head or their body get 408', async () => {
  for (const answer of await slow) expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"request-timeout"/s);
});
