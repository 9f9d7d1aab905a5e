import { createHmac, hash, randomBytes, randomUUID } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { KeyRotationService, SigningKeysService } from '#libs/auth';
import { MasterKey } from '#libs/platform/crypto';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

import type { Answer } from '../support/api.js';
import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isAccepted, newPerson, type Person, registration, signIn } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const onlyOld = { MASTER_KEY: oldKey.toString('base64') };
const both = { MASTER_KEY: newKey.toString('base64'), MASTER_KEY_PREVIOUS: oldKey.toString('base64') };

// a change of the master key from its beginning to its end: the tests build on each other
let own: OwnDatabase;
/** Has the old master key only. */
let before: Gatehouse;
/** Has the new one, and the old one as the previous. */
let after: Gatehouse;
let person: Person;

beforeAll(async () => {
  own = await copyDatabase();
  before = await startGatehouse(onlyOld, own);
  after = await startGatehouse(both, own);
  person = await newPerson(before);
});
afterAll(async () => {
  await before?.stop();
  await after?.stop();
  await own.drop();
});

const refresh = ({ api }: Gatehouse, refreshToken: string): Promise<Answer> =>
  api.post('/v1/auth/refresh', { body: { refreshToken } });

const rows = <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  after.app
    .get(SqlEntityManager)
    .fork()
    .execute<Row[]>(text, [...values]);

const count = async (table: string): Promise<number> =>
  (await rows<{ count: number }>(`select count(*)::int as count from ${table}`))[0]?.count ?? -1;

test.each([
  ['the old master key and then the new one', () => [before, after] as const],
  ['the new master key and then the old one', () => [after, before] as const],
])('a refresh token gets the same child from replicas with %s', async (_, order) => {
  const [first, second] = order();
  const { refreshToken } = await signIn(first, person);
  const [one, other] = [await refresh(first, refreshToken), await refresh(second, refreshToken)];
  expect([one.status, other.status]).toEqual([200, 200]);
  expect(other.body.refreshToken).toBe(one.body.refreshToken);
  expect((await refresh(first, one.body.refreshToken)).status).toBe(200);
});

test('a tag with one letter changed is refused by both', async () => {
  const { refreshToken } = await signIn(after, person);
  const altered = refreshToken.slice(0, -5) + (refreshToken.at(-5) === 'A' ? 'B' : 'A') + refreshToken.slice(-4);
  for (const replica of [before, after]) expect((await refresh(replica, altered)).status).toBe(401);
  expect((await refresh(before, refreshToken)).status).toBe(200);
});

test('a request with an idempotency key is done once, whichever of them gets the retry', async () => {
  const call = { body: registration(), headers: { 'idempotency-key': randomUUID() } };
  const [first, second] = [await before.api.post('/v1/users', call), await after.api.post('/v1/users', call)];
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body.id).toBe(first.body.id);
});

test('a key made under the new master key is verified by the replica with the old one, which signs with its own', async () => {
  const made = await after.app.get(KeyRotationService).rotate('at-once', 'operator');
  const ofNew = await signIn(after, person);
  expect(decodeProtectedHeader(ofNew.token).kid).toBe(made);
  await expect.poll(() => before.app.get(SigningKeysService).ring.sealed).toEqual([made]);
  expect(await isAccepted(before, ofNew.token)).toBe(true);
  const ofOld = await signIn(before, person);
  expect(decodeProtectedHeader(ofOld.token).kid).not.toBe(made);
  expect([await isAccepted(before, ofOld.token), await isAccepted(after, ofOld.token)]).toEqual([true, true]);
  expect((await before.api.get('/health/ready')).status).toBe(200);
  // Nest's logger is one for a process
  const said = [...before.log, ...after.log].filter((line) => JSON.stringify(line).includes(`signs with`));
  expect(said).toHaveLength(1);
});

test('a replica with the old master key only starts beside a key that it cannot open', async () => {
  await before.stop();
  before = await startGatehouse(onlyOld, own);
  expect(await isAccepted(before, (await signIn(before, person)).token)).toBe(true);
});

test('with no key left that it can open, a replica verifies, answers logins 503, records nothing and is not ready', async () => {
  await after.app.get(KeyRotationService).revokeAll('operator');
  await expect.poll(() => before.api.get('/health/ready').then(({ status }) => status)).toBe(503);
  const { token, refreshToken } = await signIn(after, person);
  expect(await isAccepted(before, token)).toBe(true);
  const recorded = [await count('sessions'), await count('audit_events')];
  const { userName, password } = person;
  const login = await before.api.post('/v1/auth/login', { body: { userName, password } });
  const refused = await refresh(before, refreshToken);
  expect([login, refused].map(({ status, body }) => [status, body.code])).toEqual([
    [503, 'unavailable'],
    [503, 'unavailable'],
  ]);
  expect(login.headers.get('retry-after')).toMatch(/^\d+$/);
  expect([await count('sessions'), await count('audit_events')]).toEqual(recorded);
  expect((await refresh(after, refreshToken)).status).toBe(200);
});

test('once all is sealed anew, the old master key alone is refused and no second key is made', async () => {
  await after.app.get(KeyRotationService).reseal();
  expect(await after.app.get(SealedKeysRepository).reseal()).toBeGreaterThan(0);
  await before.stop();
  const made = [await count('sealed_keys'), await count('signing_keys')];
  await expect(startGatehouse(onlyOld, own)).rejects.toThrow(/sealed under another master key/);
  expect([await count('sealed_keys'), await count('signing_keys')]).toEqual(made);
  const { refreshToken } = await signIn(after, person);
  await after.stop();
  after = await startGatehouse({ MASTER_KEY: both.MASTER_KEY }, own);
  before = after;
  expect((await refresh(after, refreshToken)).status).toBe(200);
});

test('a release before, which derived children and tags from the master key, and this one serve each other', async () => {
  const other = await copyDatabase();
  const upgraded = await startGatehouse(onlyOld, other);
  try {
    const { id, sessionId } = await newPerson(upgraded);
    const old = tokenOfOldRelease(sessionId, 0, randomBytes(32));
    const em = upgraded.app.get(SqlEntityManager).fork();
    await em.execute('update sessions set current_hash = ? where id = ?', [old.hash, sessionId]);
    const { status, body } = await refresh(upgraded, old.token);
    expect([status, body.refreshToken]).toEqual([200, old.child]);
    expect(id).toBeTruthy();
  } finally {
    await upgraded.stop();
    await other.drop();
  }
});

const mac = (purpose: string, data: string): Buffer =>
  createHmac('sha256', new MasterKey(oldKey).derive(purpose)).update(data).digest();

/** A token, its hash and its child as `RefreshTokens` made them before it had keys of its own. */
function tokenOfOldRelease(sessionId: string, rotation: number, secret: Buffer) {
  const encode = (at: number, bytes: Buffer): string => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(at);
    const body = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), head, bytes]);
    const tag = mac('refresh-tag', body.toString('hex')).subarray(0, 16);
    return `gtr_${Buffer.concat([body, tag]).toString('base64url')}`;
  };
  const child = mac('refresh-child', `${sessionId}:${rotation}:${secret.toString('hex')}`);
  return {
    token: encode(rotation, secret),
    hash: hash('sha256', secret, 'buffer'),
    child: encode(rotation + 1, child),
  };
}

test('a key is dated by the clock of the database, whatever the replica takes the time to be', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 400 * 86_400_000 });
  let id: string;
  try {
    id = await after.app.get(KeyRotationService).rotate('at-once', 'operator');
  } finally {
    vi.useRealTimers();
  }
  const isNow =
    "select signs_from between now() - interval '1 minute' and now() as is_now from signing_keys where id = ?";
  expect(await rows(isNow, [id])).toEqual([{ is_now: true }]);
});
