import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { findMisspelt } from './find-misspelt.js';
import { ConfigError, loadConfig, readSecretFile } from './load-config.js';

const key = Buffer.alloc(32, 1).toString('base64');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function faultsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('an empty environment is enough', () => {
  const config = loadConfig({});
  expect(config).toMatchObject({ PORT: 3000, DATA_DIR: './data', REGISTRATION: 'open', MIGRATE_ON_START: true });
  expect([config.PUBLIC_URL, config.ISSUER, config.AUDIENCE]).toEqual(Array(3).fill('http://127.0.0.1:3000'));
});

test('an empty value counts as unset', () => {
  expect(loadConfig({ PORT: '', MASTER_KEY: '', MASTER_KEY_FILE: '' })).toMatchObject({ PORT: 3000 });
});

test('issuer and audience follow the public URL, without its last slash', () => {
  const { ISSUER, AUDIENCE } = loadConfig({ PUBLIC_URL: 'https://id.example.org/', AUDIENCE: 'api' });
  expect([ISSUER, AUDIENCE]).toEqual(['https://id.example.org', 'api']);
});

test.for([
  ['PORT', 'eighty-one'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PUBLIC_URL', 'id.example.org'],
  ['PUBLIC_URL', 'ftp://id.example.org'],
  ['PUBLIC_URL', 'https://id.example.org/auth?x=1'],
  ['PUBLIC_URL', 'https://root:hunter2@id.example.org'],
  ['DATABASE_URL', 'mysql://root:hunter2@db/gatehouse'],
  ['DATABASE_URL', 'hunter2'],
  ['DATABASE_POOL_SIZE', '0'],
  ['MIGRATE_ON_START', 'yes'],
  ['MASTER_KEY', 'hunter2'],
  ['MASTER_KEY', Buffer.alloc(31, 1).toString('base64')],
  ['REGISTRATION', 'ajar'],
  ['ACCESS_TOKEN_TTL_SECONDS', '29'],
  ['ACCESS_TOKEN_TTL_SECONDS', '1e3'],
  ['PASSWORD_MIN_LENGTH', '7'],
  ['DRAIN_DELAY_SECONDS', '301'],
  ['LOG_LEVEL', 'loud'],
  ['CORS_ORIGINS', 'https://*.org'],
  ['CORS_ORIGINS', 'null'],
  ['TRUST_PROXY', 'balancer.example.org'],
  ['TRUST_PROXY', '10.0.0.0/33'],
  ['TRUST_PROXY', '0.0.0.0/0'],
  ['TRUST_PROXY', '10.0.0.1:80'],
] as const)('%s=%s is refused by name, not by value', ([name, value]) => {
  const faults = faultsOf({ [name]: value });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^${name} \\S`));
  expect(faults[0]).not.toContain(value);
});

test('every fault is told at once', () => {
  const faults = faultsOf({ PORT: 'x', LOG_LEVEL: 'x', MASTER_KEY: key, MASTER_KEY_FILE: '/nowhere' });
  expect(faults.map((fault) => fault.replace(/ .*/, '')).toSorted()).toEqual(['LOG_LEVEL', 'MASTER_KEY', 'PORT']);
});

describe('a secret in a file', () => {
  test('is read without its last line break', () => {
    const path = join(folder, 'key');
    writeFileSync(path, `${key}\r\n`);
    expect(loadConfig({ MASTER_KEY_FILE: path }).MASTER_KEY).toBe(key);
  });

  test('may be a password that ends in spaces', () => {
    const path = join(folder, 'password');
    writeFileSync(path, 'two spaces  \n');
    expect(loadConfig({ ADMIN_PASSWORD_FILE: path }).ADMIN_PASSWORD).toBe('two spaces  ');
  });

  test('must not come beside the variable', () => {
    expect(faultsOf({ MASTER_KEY: key, MASTER_KEY_FILE: '/nowhere' })).toEqual([
      'MASTER_KEY and MASTER_KEY_FILE are both set: keep one',
    ]);
  });

  test('that cannot be read is a fault of its variable, and the path stays out of it', () => {
    expect(faultsOf({ DATABASE_URL_FILE: '/run/secrets/hunter2' })).toEqual([
      'DATABASE_URL_FILE names a file that cannot be read',
    ]);
  });

  test('that is empty counts as a fault, not as no secret', () => {
    const path = join(folder, 'empty');
    writeFileSync(path, '\n');
    expect(faultsOf({ ADMIN_PASSWORD_FILE: path })).toEqual(['ADMIN_PASSWORD_FILE names an empty file']);
  });

  test('is not taken for what is no secret', () => {
    const path = join(folder, 'port');
    writeFileSync(path, '4000');
    expect(loadConfig({ PORT_FILE: path }).PORT).toBe(3000);
  });
});

test.for([
  ['production', 'postgres://db/gatehouse', undefined, 1],
  ['production', 'postgres://db/gatehouse', key, 0],
  ['production', undefined, undefined, 0],
  ['development', 'postgres://db/gatehouse', undefined, 0],
] as const)(
  'in %s with DATABASE_URL %s and MASTER_KEY %s there are %i faults',
  ([NODE_ENV, DATABASE_URL, MASTER_KEY, count]) => {
    const faults = faultsOf({ NODE_ENV, DATABASE_URL, MASTER_KEY });
    expect(faults).toHaveLength(count);
    if (count > 0) expect(faults[0]).toMatch(/^MASTER_KEY is required/);
  },
);

test('proxies are addresses, CIDRs or named ranges', () => {
  const TRUST_PROXY = '127.0.0.1, ::1, 10.1.0.0/16,fd00::/8,loopback,uniquelocal';
  expect(loadConfig({ TRUST_PROXY }).TRUST_PROXY).toEqual(TRUST_PROXY.split(/, ?/));
});

test.for([
  ['DATABSE_URL', 'DATABASE_URL'],
  ['MASTERKEY', 'MASTER_KEY'],
  ['ADMIN_PASSWORD_FIEL', 'ADMIN_PASSWORD_FILE'],
  ['REGISTRATIONS', 'REGISTRATION'],
  ['log_level', 'LOG_LEVEL'],
] as const)('%s is known as a misspelt %s', ([name, meant]) => {
  expect(findMisspelt([name])).toEqual([{ name, meant }]);
});

test.for(['PATH', 'HOSTNAME', 'DATABASE_URL', 'MASTER_KEY_FILE', 'ADMIN_EMAIL', 'PGDATABASE', 'npm_config_cache'])(
  '%s is not taken for a misspelling',
  (name) => {
    expect(findMisspelt([name])).toEqual([]);
  },
);

test('an object store needs a bucket, and both halves of its keys', () => {
  expect(faultsOf({ AVATAR_STORE: 's3' })).toEqual([expect.stringContaining('AVATAR_S3_BUCKET')]);
  const bucket = { AVATAR_STORE: 's3', AVATAR_S3_BUCKET: 'pictures' };
  expect(faultsOf({ ...bucket, AVATAR_S3_ACCESS_KEY_ID: 'a' })).toEqual([
    expect.stringContaining('set both or neither'),
  ]);
  expect(faultsOf({ ...bucket, AVATAR_S3_ACCESS_KEY_ID: 'a', AVATAR_S3_SECRET_ACCESS_KEY: 'b' })).toEqual([]);
});

test('a pooler in transaction mode needs another way for the connection that listens', () => {
  expect(faultsOf({ DATABASE_URL: 'postgres://h/d?pgbouncer=true' })).toEqual([
    expect.stringContaining('DATABASE_LISTEN_URL is required'),
  ]);
  expect(faultsOf({ DATABASE_LISTEN_URL: 'postgres://h/d' })).toEqual([
    'DATABASE_LISTEN_URL is set without DATABASE_URL',
  ]);
});

test("TLS that only libpq's variables ask for is a fault, not a connection in clear", () => {
  expect(faultsOf({ DATABASE_URL: 'postgres://h/d', PGSSLMODE: 'verify-full' })).toEqual([
    expect.stringContaining('PGSSLMODE'),
  ]);
  expect(faultsOf({ DATABASE_URL: 'postgres://h/d?sslmode=require', PGSSLMODE: 'verify-full' })).toEqual([]);
});

test('a secret from a file is what the file says now', async () => {
  const path = join(folder, 'url');
  writeFileSync(path, 'postgres://a:1@h/d\n');
  const config = loadConfig({ DATABASE_URL_FILE: path });
  writeFileSync(path, 'postgres://a:2@h/d\n');
  await expect(readSecretFile(config, 'DATABASE_URL')).resolves.toBe('postgres://a:2@h/d');
  await expect(readSecretFile(config, 'REDIS_URL')).resolves.toBeUndefined();
});
