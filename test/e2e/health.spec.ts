import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse;

beforeAll(async () => {
  gatehouse = await startGatehouse();
});
afterAll(async () => {
  await gatehouse.stop();
});

const up = { status: 'up' };

test('live says that the process is alive, and nothing more', async () => {
  const { status, body, headers } = await gatehouse.api.get('/health/live');
  expect(status).toBe(200);
  expect(body).toEqual({ status: 'ok', info: {}, error: {}, details: {} });
  expect(headers.get('cache-control')).toContain('no-store');
});

test('ready names what a request needs', async () => {
  const { status, body } = await gatehouse.api.get('/health/ready');
  const parts = { serving: up, database: up, revocations: up };
  expect(status).toBe(200);
  expect(body).toEqual({ status: 'ok', info: parts, error: {}, details: parts });
});

test('probes are logged for those who look closely only', async () => {
  await gatehouse.api.get('/health/ready', { headers: { 'x-request-id': 'probe' } });
  const line = () => gatehouse.log.find(({ requestId }) => requestId === 'probe');
  await expect.poll(line).toMatchObject({ level: 'debug', status: 200, handler: 'HealthController.ready' });
});
