import { randomBytes } from 'node:crypto';

import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotation, SigningKeys } from '#libs/auth';
import { SealedKeys } from '#libs/platform/sealed-keys';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { isAccepted, newPerson, type Person, signIn } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

let gatehouse: Gatehouse;
let person: Person;

beforeAll(async () => {
  gatehouse = await startGatehouse();
  person = await newPerson(gatehouse);
});
afterAll(async () => {
  await gatehouse.stop();
});

const rotation = (): KeyRotation => gatehouse.app.get(KeyRotation);
const signingId = (): string => gatehouse.app.get(SigningKeys).ring.signing(Date.now())?.id ?? '';
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
    await rotation().tend();
    expect(await publishedIds()).toEqual(before);
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
    expect(await between.app.get(KeyRotation).reseal()).toBe(1);
    expect(await between.app.get(KeyRotation).reseal()).toBe(0);
    expect(await between.app.get(SealedKeys).reseal()).toBeGreaterThan(0);
    expect(await between.app.get(SealedKeys).reseal()).toBe(0);
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
