import { once } from 'node:events';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { openSocket } from '../support/raw-http.js';
import { type Process, spawnGatehouse } from '../support/spawn-gatehouse.js';

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
  expect(await ask('/health/ready')).toEqual([200, 'keep-alive']);

  service.kill('SIGTERM');
  await expect.poll(() => ask('/health/ready')).toEqual([503, 'close']);
  expect(await ask('/health/live')).toEqual([200, 'close']);
  expect(await ask('/.well-known/jwks.json')).toEqual([200, 'close']);

  await expect.poll(() => ask('/health/live').catch(() => 'closed'), { timeout: 15_000 }).toBe('closed');
  upload.write(body.slice(10));
  const [answer] = await once(upload, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 401 .*connection: close/is);
  expect((await service.ended).code).toBe(0);
  expect(service.output()).toContain('"msg":"stopped"');
});
