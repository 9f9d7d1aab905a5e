import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { copyDatabase } from '../support/copy-database.js';
import { runCli } from '../support/run-cli.js';
import { spawnGatehouse } from '../support/spawn-gatehouse.js';

const keyIn = (text: string): string => /X-Service-Key: (\S+)/.exec(text)?.[1] ?? '';

test('the services command acts on a running replica at once, and audits the operator', async () => {
  const database = await copyDatabase();
  const environment = {
    ...database.environment,
    MASTER_KEY: randomBytes(32).toString('base64'),
    ADMIN_PASSWORD: 'tin whistle at dawn',
  };
  const replica = await spawnGatehouse(environment);
  const services = async (...parameters: string[]): Promise<string> => {
    const { out, err } = await runCli(environment, 'services', ...parameters);
    return out + err;
  };
  const list = (key: string) => fetch(`${replica.url}/v1/users?limit=1`, { headers: { 'x-service-key': key } });
  const untilIs = async (key: string, expected: number): Promise<void> => {
    await expect.poll(async () => (await list(key)).status, { timeout: 5_000, interval: 20 }).toBe(expected);
  };
  try {
    const created = await services('create', 'shop', '--scope', 'users:read', '--plan', 'read=500/10');
    const key = keyIn(created);
    await untilIs(key, 200);
    expect((await list(key)).headers.get('ratelimit-policy')).toBe('"service-read";q=500;w=10');
    const rotated = keyIn(await services('rotate', 'shop'));
    await untilIs(rotated, 200);
    expect(await services('list')).toMatch(/^shop {2}active {2}users:read {2}read=500\/10 write=12000\/60 /);
    const uri = 'https://shop.example.org';
    const audience = ['--audience', uri, '--permission', 'shop:write', 'shop:read'];
    const changed = await services('change', 'shop', ...audience, '--grant', `${uri}/ shop:read`);
    expect(changed).toContain(`\n  audience ${uri}  shop:read shop:write\n  granted at ${uri}  shop:read\n`);
    expect(await services('change', 'shop', '--no-audience', '--no-grant')).not.toMatch(/audience|granted/);
    await services('deactivate', 'shop');
    await untilIs(rotated, 401);
    expect(await services('create', 'shop')).toBe('Another service has this name.\n');
    expect(await services('create', 'Shop')).toContain('name: must be');
  } finally {
    replica.kill('SIGKILL');
    await replica.ended;
    await database.drop();
  }
}, 120_000);
