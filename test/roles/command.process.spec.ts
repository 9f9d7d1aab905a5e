import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { copyDatabase } from '../support/copy-database.js';
import { claimsOf } from '../support/roles.js';
import { runCli } from '../support/run-cli.js';
import { spawnGatehouse } from '../support/spawn-gatehouse.js';

test('the roles command makes, replaces and removes roles, and acts on a running replica at once', async () => {
  const database = await copyDatabase();
  const password = 'tin whistle at dawn';
  const environment = {
    ...database.environment,
    MASTER_KEY: randomBytes(32).toString('base64'),
    ADMIN_PASSWORD: password,
  };
  const replica = await spawnGatehouse(environment);
  const roles = async (...parameters: string[]): Promise<string> => {
    const { out, err } = await runCli(environment, 'roles', ...parameters);
    return out + err;
  };
  const send = async (method: string, path: string, token: string | undefined, body?: object): Promise<any> => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(replica.url + path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const login = async (): Promise<string> =>
    (await send('POST', '/v1/auth/login', undefined, { userName: 'admin', password })).body.accessToken;
  const statusOf = async (token: string): Promise<number> => (await send('GET', '/v1/users/me', token)).status;
  try {
    expect(await roles('set', 'clerk', '--permission', 'orders:write', '--permission', 'orders:read')).toBe(
      'clerk  orders:read orders:write\n',
    );
    const token = await login();
    expect((await send('PATCH', '/v1/users/me', token, { roles: ['user', 'admin', 'clerk'] })).status).toBe(200);
    const carrying = await login();
    expect(claimsOf(carrying).permissions).toEqual(['orders:read', 'orders:write']);
    const described = await roles('set', 'clerk', '--permission', 'orders:ship', '--description', 'Ships');
    expect(described).toBe('clerk  orders:ship  Ships\n');
    await expect.poll(() => statusOf(carrying), { timeout: 5_000, interval: 20 }).toBe(401);
    expect(claimsOf(await login()).permissions).toEqual(['orders:ship']);
    expect(await roles('list')).toBe(
      'admin  built in  no permissions\nclerk  orders:ship  Ships\nuser  built in  no permissions\n',
    );
    expect(await roles('remove', 'clerk')).toContain('Users hold this role.');
    expect(await roles('remove', 'clerk', '--force')).toBe('Removed clerk; access tokens that carry it are dead.\n');
    await expect.poll(async () => claimsOf(await login()).roles, { timeout: 5_000 }).toEqual(['user', 'admin']);
  } finally {
    replica.kill('SIGKILL');
    await replica.ended;
    await database.drop();
  }
}, 240_000);
