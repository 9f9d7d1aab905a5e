import { randomBytes } from 'node:crypto';

import { decodeProtectedHeader } from 'jose';
import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService, SigningKeysService } from '#libs/auth';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isAccepted, newPerson, type Person, signIn } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let person: Person;

beforeAll(async () => {
  person = await newPerson(gatehouse);
});

const rotation = (): KeyRotationService => gatehouse.app.get(KeyRotationService);
const signingId = (): string => gatehouse.app.get(SigningKeysService).ring.signing(Date.now())?.id ?? '';
const publishedIds = async (): Promise<string[]> =>
  (await gatehouse.api.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);

describe('rotation', () => {
  test('a new key is published before it signs', async () => {
    const before = signingId();
    const added = await rotation().rotate('published-ahead', 'operator');
    expect(await publishedIds()).toEqual(expect.arrayContaining([before, added]));
    const { token } = await signIn(gatehouse, person);
    expect(decodeProtectedHeader(token).kid).toBe(before);
  });

  test('tokens of the key before stay good while the new one signs', async () => {
    const { token } = await signIn(gatehouse, person);
    const added = await rotation().rotate('at-once', 'operator');
    const next = await signIn(gatehouse, person);
    expect(decodeProtectedHeader(next.token).kid).toBe(added);
    expect([await isAccepted(gatehouse, token), await isAccepted(gatehouse, next.token)]).toEqual([true, true]);
    expect(await publishedIds()).toContain(decodeProtectedHeader(token).kid);
  });

  test('a retired key and its tokens are dead, and another key signs', async () => {
    const { token } = await signIn(gatehouse, person);
    const retired = signingId();
    expect(await rotation().retire(retired, 'operator')).toBe(true);
    expect(await isAccepted(gatehouse, token)).toBe(false);
    expect(await publishedIds()).not.toContain(retired);
    expect(await isAccepted(gatehouse, (await signIn(gatehouse, person)).token)).toBe(true);
    expect(await rotation().retire(retired, 'operator')).toBe(false);
  });

  test('nothing is due while the youngest key is young', async () => {
    const before = await publishedIds();
    await rotation().rotateIfDue();
    expect(await publishedIds()).toEqual(before);
  });
});

const em = (): SqlEntityManager => gatehouse.app.get(SqlEntityManager).fork();
const reload = (): Promise<void> => gatehouse.app.get(SigningKeysService).reload();
const shift = (sign: string): Promise<unknown> =>
  em().execute(`update signing_keys set signs_from = signs_from ${sign} interval '400 days'`);
const recorded = async (): Promise<unknown> =>
  em().execute(`select (select count(*) from sessions)::int as sessions, (select count(*) from audit_events)::int as
    events, (select max(last_used_at) from sessions) as used`);

describe('when no key can sign, or none should yet', () => {
  test('before the time of all keys the oldest signs', async () => {
    await shift('+');
    await reload();
    try {
      const { token } = await signIn(gatehouse, person);
      const [oldest] = await em().execute<{ id: string }[]>(
        'select id from signing_keys where retired_at is null order by signs_from, id limit 1',
      );
      expect(decodeProtectedHeader(token).kid).toBe(oldest?.id);
      expect(await isAccepted(gatehouse, token)).toBe(true);
      expect((await gatehouse.api.get('/health/ready')).status).toBe(200);
      // keys from a wrong clock do not put the next one off until their day
      await rotation().rotateIfDue();
      const [next] = await em().execute<{ soon: boolean }[]>(
        `select min(signs_from) < now() + interval '1 hour' as soon from signing_keys where retired_at is null`,
      );
      expect(next?.soon).toBe(true);
      const count = (await publishedIds()).length;
      await rotation().rotateIfDue();
      expect(await publishedIds()).toHaveLength(count);
    } finally {
      await em().execute("delete from signing_keys where signs_from < now() + interval '1 hour'");
      await shift('-');
      await reload();
    }
  });

  test('a login and a refresh are refused as unavailable, and nothing is recorded of them', async () => {
    const { refreshToken } = await signIn(gatehouse, person);
    await em().execute('alter table signing_keys add column kept bytea');
    await em().execute('update signing_keys set kept = sealed_private_key, sealed_private_key = $$never sealed$$');
    await reload();
    const { userName, password } = person;
    try {
      const before = await recorded();
      const answers = [
        await gatehouse.api.post('/v1/auth/login', { body: { userName, password } }),
        await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } }),
      ];
      for (const { status, body, headers } of answers) {
        expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
      }
      expect(await recorded()).toEqual(before);
      expect((await gatehouse.api.get('/health/ready')).status).toBe(503);
    } finally {
      await em().execute('update signing_keys set sealed_private_key = kept');
      await em().execute('alter table signing_keys drop column kept');
      await reload();
    }
    expect((await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } })).status).toBe(200);
  });
});

const base64 = (): string => randomBytes(32).toString('base64');

describe('the master key', () => {
  const [first, second] = [base64(), base64()];
  let own: OwnDatabase;

  beforeAll(async () => {
    own = await copyDatabase();
  });
  afterAll(async () => {
    await own.drop();
  });

  const withKeys = (MASTER_KEY: string, MASTER_KEY_PREVIOUS = ''): Promise<Gatehouse> =>
    startGatehouse({ MASTER_KEY, MASTER_KEY_PREVIOUS }, own);

  test('changes without ending a session: the old one opens until all is sealed anew', async () => {
    const before = await withKeys(first);
    const somebody = await newPerson(before);
    await before.stop();

    const between = await withKeys(second, first);
    expect(await isAccepted(between, somebody.token)).toBe(true);
    expect(await between.app.get(KeyRotationService).reseal()).toBe(1);
    expect(await between.app.get(KeyRotationService).reseal()).toBe(0);
    expect(await between.app.get(SealedKeysRepository).reseal()).toBeGreaterThan(0);
    expect(await between.app.get(SealedKeysRepository).reseal()).toBe(0);
    await between.stop();

    const after = await withKeys(second);
    expect(await isAccepted(after, somebody.token)).toBe(true);
    const refreshed = await after.api.post('/v1/auth/refresh', { body: { refreshToken: somebody.refreshToken } });
    expect(refreshed.status).toBe(200);
    await after.stop();
  });

  test('a wrong one refuses to start', async () => {
    await expect(withKeys(base64())).rejects.toThrow(/sealed under another master key/);
  });
});
