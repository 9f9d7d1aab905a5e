import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import S3rver from 's3rver';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Sweeper } from '#libs/platform/database';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { freePort } from '../support/free-port.js';
import { fetchPicture, inSize, picture, putAvatar } from '../support/images.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { type S3Server, startS3Server } from '../support/s3-server.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const keys = { accessKeyId: 'gatehouse', secretAccessKey: 'a secret / with + signs', region: 'eu-test-1' };
let s3: S3Server;
let gatehouse: Gatehouse;
let person: Person;
let boss: string;

const environment = (secret = keys.secretAccessKey): Record<string, string> => ({
  AVATAR_STORE: 's3',
  AVATAR_S3_ENDPOINT: s3.url,
  AVATAR_S3_BUCKET: 'pictures',
  AVATAR_S3_REGION: keys.region,
  AVATAR_S3_PATH_STYLE: 'true',
  AVATAR_S3_PREFIX: 'avatars of users/',
  AVATAR_S3_ACCESS_KEY_ID: keys.accessKeyId,
  AVATAR_S3_SECRET_ACCESS_KEY: secret,
  AVATAR_CACHE_BYTES: '0',
});

beforeAll(async () => {
  s3 = await startS3Server(keys);
  gatehouse = await startGatehouse(environment());
  person = await newPerson(gatehouse);
  boss = (await signInAdmin(gatehouse)).token;
});
afterAll(async () => {
  await gatehouse.stop();
  await s3.close();
});

const sweep = (of = gatehouse) => of.app.get(Sweeper).sweepNow();
const hashOf = (url: string): string => /[0-9a-f]{64}/.exec(url)?.[0] ?? '';
const stored = (url: string): string[] => [...s3.objects.keys()].filter((key) => key.includes(hashOf(url)));

test('pictures go to the bucket, signed, and are read from it', async () => {
  const { status, body, text } = await putAvatar(gatehouse, 'me', await picture().png().toBuffer(), person);
  expect(status, text).toBe(200);
  const { url } = body.avatar;
  const key = (size: number): string => `/pictures/avatars%20of%20users/${hashOf(url)}-${size}.webp`;
  expect(stored(url).toSorted()).toEqual([key(256), key(512), key(64)]);
  for (const size of [64, 256, 512]) {
    const { bytes, status } = await fetchPicture(gatehouse, inSize(url, size));
    expect([status, bytes.equals(s3.objects.get(key(size)) ?? Buffer.alloc(0))]).toEqual([200, true]);
  }
  expect(s3.refusals).toEqual([]);
});

test('are there once for two users, and go with the second of them', async () => {
  const [file, other] = [await picture().png().toBuffer(), await newPerson(gatehouse)];
  const { url } = (await putAvatar(gatehouse, 'me', file, person)).body.avatar;
  await putAvatar(gatehouse, 'me', file, other);
  await gatehouse.api.delete('/v1/users/me/avatar', person);
  await sweep();
  expect(stored(url)).toHaveLength(3);
  expect((await gatehouse.api.delete(`/v1/users/${other.id}`, { token: boss })).status).toBe(204);
  expect((await fetchPicture(gatehouse, url)).status).toBe(404);
  await sweep();
  expect(stored(url)).toEqual([]);
});

test('while the store is down a picture is refused, not lost; one that is removed goes when it is back', async () => {
  const before = (await putAvatar(gatehouse, 'me', await picture().png().toBuffer(), person)).body;
  s3.breakDown(true);
  try {
    const refused = await putAvatar(gatehouse, 'me', await picture().png().toBuffer(), person);
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
    expect((await gatehouse.api.get('/v1/users/me', person)).body.avatar).toEqual(before.avatar);
    expect((await fetchPicture(gatehouse, before.avatar.url)).status).toBe(503);
    expect((await gatehouse.api.delete('/v1/users/me/avatar', person)).status).toBe(200);
    expect(stored(before.avatar.url)).toHaveLength(3);
  } finally {
    s3.breakDown(false);
  }
  await expect.poll(async () => (await sweep(), stored(before.avatar.url)), { timeout: 15_000 }).toEqual([]);
});

test('a wrong secret is refused by the store, and is 503 here', async () => {
  const own: OwnDatabase = await copyDatabase();
  const wrong = await startGatehouse(environment('not the secret'), own);
  try {
    const { status, body } = await putAvatar(wrong, 'me', await picture().png().toBuffer(), await newPerson(wrong));
    expect([status, body.code]).toEqual([503, 'unavailable']);
    expect(s3.refusals.at(-1)).toMatch(/PUT .*: the signature is wrong/);
    expect(JSON.stringify(wrong.log)).not.toContain('not the secret');
  } finally {
    await wrong.stop();
    await own.drop();
  }
});

test('pictures that were in the database before stay there', async () => {
  const own = await copyDatabase();
  const first = await startGatehouse({}, own);
  const somebody = await newPerson(first);
  const { url } = (await putAvatar(first, 'me', await picture().png().toBuffer(), somebody)).body.avatar;
  await first.stop();
  const second = await startGatehouse(environment(), own);
  try {
    expect((await fetchPicture(second, url)).status).toBe(200);
    expect(stored(url)).toEqual([]);
  } finally {
    await second.stop();
    await own.drop();
  }
});

test('another implementation of the store takes, gives and deletes them too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-s3rver-'));
  const port = await freePort();
  const buckets = [{ name: 'pictures' }];
  const s3rver = new S3rver({ address: '127.0.0.1', port, silent: true, directory, configureBuckets: buckets });
  await s3rver.run();
  // the one pair of keys that s3rver knows; it proves nothing of signatures, since it takes wrong
  // secrets
  const settings = { AVATAR_S3_ENDPOINT: `http://127.0.0.1:${port}`, AVATAR_S3_ACCESS_KEY_ID: 'S3RVER' };
  const service = await startGatehouse({ ...environment('S3RVER'), ...settings });
  try {
    const somebody = await newPerson(service);
    const { url } = (await putAvatar(service, 'me', await picture().png().toBuffer(), somebody)).body.avatar;
    const { status, bytes } = await fetchPicture(service, url);
    expect([status, bytes.toString('latin1', 8, 12)]).toEqual([200, 'WEBP']);
    const files = (): string[] => readdirSync(directory, { recursive: true }).map(String);
    expect(files().filter((name) => name.includes(hashOf(url)))).not.toEqual([]);
    await service.api.delete('/v1/users/me/avatar', somebody);
    await expect.poll(async () => (await sweep(service), files().join(' '))).not.toContain(hashOf(url));
  } finally {
    await service.stop();
    await s3rver.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
