import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { registration } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const breached = 'purple monkey dishwasher';
const sha1 = hash('sha1', breached).toUpperCase();

let api: Server;
let asked: string[];
let gatehouse: Gatehouse;

beforeAll(async () => {
  asked = [];
  api = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(`${sha1.slice(5)}:42\r\n${'0'.repeat(35)}:0\r\n`);
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const address = api.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  gatehouse = await startGatehouse({ PASSWORD_BREACH_CHECK: 'true', PASSWORD_BREACH_URL: `http://127.0.0.1:${port}` });
  // the first administrator's password is judged as well
  asked = [];
});
afterAll(async () => {
  await gatehouse.stop();
  api.close();
});

const register = (password: string) => gatehouse.api.post('/v1/users', { body: registration({ password }) });

test('a breached password is refused, and only the head of its digest was sent', async () => {
  const answer = await register(breached);
  expect(answer.body.errors.map(({ code }: { code: string }) => code)).toEqual(['password-breached']);
  expect(asked).toEqual([`/range/${sha1.slice(0, 5)}`]);
});

test('a password that was not breached is taken', async () => {
  expect((await register('seven green bottles')).status).toBe(201);
});

test('when the check cannot be made the password is taken, and the log says so', async () => {
  api.closeAllConnections();
  await new Promise((resolve) => api.close(resolve));
  expect((await register(breached)).status).toBe(201);
  expect(gatehouse.log.some(({ event }) => String(event).startsWith('breach check failed'))).toBe(true);
});
