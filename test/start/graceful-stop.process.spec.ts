import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { freePort } from '../support/free-port.js';
import { openSocket } from '../support/raw-http.js';
import { type Process, spawnGatehouse, spawnUnread } from '../support/spawn-gatehouse.js';

let database: OwnDatabase;
let service: Process;

beforeAll(async () => {
  database = await copyDatabase();
  service = await spawnGatehouse({ ...database.environment, DRAIN_DELAY_SECONDS: '1' });
});
afterAll(async () => {
  service.kill('SIGKILL');
  await database.drop();
});

/** Whether somebody listens at a URL. */
const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

test('a SIGTERM to the npm of `npm start` alone stops the service as gracefully as one from a terminal', async () => {
  const own = await copyDatabase();
  const url = `http://127.0.0.1:${await freePort()}`;
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, ...own.environment, PORT: new URL(url).port, npm_config_update_notifier: 'false' };
  const npm = spawn('npm', ['start'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  npm.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(npm, 'close');
  await expect.poll(() => answers(`${url}/health/live`), { timeout: 30_000 }).toBe(true);
  npm.kill('SIGTERM');
  await ended;
  expect(output).toContain('"msg":"stopped"');
  expect(await answers(url)).toBe(false);
  await own.drop();
}, 60_000);

const metricsToken = 'a-token-of-the-metrics';
const body = '{"userName":"nobody","password":"x"}';
const head = `POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;

/** The status of the answer and whether the client is told to close. */
const ask = async (path: string): Promise<unknown[]> => {
  const { status, headers } = await fetch(service.url + path);
  return [status, headers.get('connection')];
};

test('on SIGTERM ready turns red, requests are served until the port closes, and those in flight finish', async () => {
  const upload = await openSocket(service.url);
  upload.write(head + body.slice(0, 10));
  // some clients open a connection before they need it
  const unused = await openSocket(service.url);
  const unusedEnded = once(unused, 'close');
  expect(await ask('/health/ready')).toEqual([200, 'keep-alive']);

  service.kill('SIGTERM');
  await expect.poll(() => ask('/health/ready')).toEqual([503, 'close']);
  expect(await ask('/health/live')).toEqual([200, 'close']);
  expect(await ask('/.well-known/jwks.json')).toEqual([200, 'close']);

  await expect.poll(() => ask('/health/live').catch(() => 'closed'), { timeout: 15_000 }).toBe('closed');
  await unusedEnded;
  upload.write(body.slice(10));
  const [answer] = await once(upload, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 401 .*connection: close/is);
  expect((await service.ended).code).toBe(0);
  expect(service.output()).toContain('"msg":"stopped"');
});

test('a reader of the log that stops reading stops neither requests nor probes nor the stop', async () => {
  const own = await copyDatabase();
  const unread = await spawnUnread(await freePort(), {
    ...own.environment,
    METRICS_TOKEN: metricsToken,
    LOG_LEVEL: 'debug',
  });
  const dropped = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${metricsToken}` };
    const text = await (await fetch(`${unread.url}/metrics`, { headers })).text();
    return Number(/gatehouse_log_lines_dropped_total (\d+)/.exec(text)?.[1]);
  };
  while ((await dropped()) === 0) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`${unread.url}/v1/users/me`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  }
  expect((await fetch(`${unread.url}/health/ready`)).status).toBe(200);
  unread.kill('SIGTERM');
  expect((await unread.ended).code).toBe(0);
  await own.drop();
});
