import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { freePort } from '../support/free-port.js';
import { admin } from '../support/people.js';
import { type Process, spawnGatehouse } from '../support/spawn-gatehouse.js';

const example = resolve(import.meta.dirname, '../../examples/orders');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-orders-'));
const passwordFile = join(folder, 'first-admin-password');
let own: OwnDatabase;
let gatehouse: Process;
let orders: ChildProcess;
let addresses: { readonly gatehouse: string; readonly orders: string };

/** The commands of the README, with what it says that they show in comments behind them. */
const readme = readFileSync(join(example, 'README.md'), 'utf8');
const script = /```sh\n(?<commands>.*?)```/su.exec(readme)?.groups?.['commands'] ?? '';

beforeAll(async () => {
  own = await copyDatabase();
  const [port, ordersPort] = [await freePort(), await freePort()];
  addresses = { gatehouse: `http://127.0.0.1:${port}`, orders: `http://127.0.0.1:${ordersPort}` };
  await startGatehouse();
  writeFileSync(passwordFile, `${admin.password}\n`);
  await startOrders(String(ordersPort));
}, 120_000);
afterAll(async () => {
  process.kill(-(orders.pid ?? 0), 'SIGINT');
  await once(orders, 'exit');
  gatehouse.kill('SIGTERM');
  await gatehouse.ended;
  await own.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function startGatehouse(): Promise<void> {
  const { port } = new URL(addresses.gatehouse);
  const environment = { ...own.environment, PORT: port, PUBLIC_URL: addresses.gatehouse };
  gatehouse = await spawnGatehouse({ ...environment, ADMIN_PASSWORD: admin.password });
}

/** By its own one command, as README says. */
async function startOrders(port: string): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  orders = spawn('npm', ['start', '--silent'], {
    cwd: example,
    env: {
      PATH,
      HOME,
      GATEHOUSE_URL: addresses.gatehouse,
      PORT: port,
      ADMIN_PASSWORD_FILE: passwordFile,
      SERVICE_KEY_FILE: join(folder, 'service.key'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // npm does not hand signals on: its whole group gets them, as from a terminal
    detached: true,
  });
  await once(orders.stdout ?? orders, 'data');
}

const ordersWith = async (token: string): Promise<{ status: number; code?: string }> => {
  const answer = await fetch(`${addresses.orders}/orders`, { headers: { authorization: `Bearer ${token}` } });
  const { code }: any = await answer.json();
  return { status: answer.status, code };
};

/** Each line that the README says is shown. */
const expected = script
  .split('\n')
  .filter((line) => /^# (?:\{|\d{3}$)/.test(line))
  .map((line) => line.slice(2));

test('what the README shows is what happens: a token dies', () => {
  const here = script
    .replaceAll('http://127.0.0.1:3000', addresses.gatehouse)
    .replaceAll('http://127.0.0.1:4000', addresses.orders)
    .replaceAll('../../data/first-admin-password', passwordFile);
  const last = here.lastIndexOf('\ncurl ');
  // the service hears of the log-out a moment after it was answered
  const lastAgain = `until [[ $(${here.slice(last)}) == *revoked* ]]; do sleep 0.05; done; ${here.slice(last)}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', here.slice(0, last) + lastAgain], {
    cwd: example,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(stdout.trim().split('\n'), stderr).toEqual(expected);
  expect(expected.map((line) => line.slice(-3))).toEqual(['201', '200', '403', '204', '401']);
}, 60_000);

test('while Gatehouse is stopped the service says that it cannot know, and comes back by itself', async () => {
  const token = await tokenOfGrace();
  expect((await ordersWith(token)).status).toBe(200);
  gatehouse.kill('SIGTERM');
  await gatehouse.ended;
  const waiting = { timeout: 30_000, interval: 50 };
  await expect.poll(() => ordersWith(token), waiting).toEqual({ status: 503, code: 'stale' });
  await startGatehouse();
  await expect.poll(() => ordersWith(token), waiting).toEqual({ status: 200 });
}, 120_000);

test('what is no token for it is refused with a challenge', async () => {
  for (const token of ['', 'nonsense', await tokenOfGrace('')]) {
    const answer = await fetch(`${addresses.orders}/orders`, { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, answer.headers.get('www-authenticate')?.slice(0, 6)]).toEqual([401, 'Bearer']);
  }
});

async function tokenOfGrace(audience = 'https://orders.example.org'): Promise<string> {
  const body = { userName: 'grace', password: 'nine purple kites', ...(audience && { audience }) };
  const answer = await fetch(`${addresses.gatehouse}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { accessToken }: any = await answer.json();
  return accessToken;
}
