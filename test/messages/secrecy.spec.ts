import { randomBytes } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';
import { MasterKey } from '#libs/platform/crypto';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import { newMessage, type Sent } from '../support/messages.js';
import { newPerson, type Person } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';

const base64 = (): string => randomBytes(32).toString('base64');

describe('a thief of the database and the master key', () => {
  const MASTER_KEY = base64();
  const planted = Array.from({ length: 10 }, (_, index) => `planted body ${index} ${randomBytes(6).toString('hex')}`);
  let gatehouse: Gatehouse;
  let sent: Sent[];
  let values: unknown[];

  beforeAll(async () => {
    gatehouse = await startGatehouse({ MASTER_KEY });
    const person = await newPerson(gatehouse);
    sent = [];
    for (const [index, body] of planted.entries()) {
      sent.push(await newMessage(gatehouse, { token: person.token, body, ...(index % 2 === 0 && { maxReads: 5 }) }));
    }
    values = await dump(gatehouse.app.get(SqlEntityManager));
    values.push(...openable(values, Buffer.from(MASTER_KEY, 'base64')));
  });
  afterAll(async () => {
    await gatehouse.stop();
  });

  test('finds none of 10 bodies and tokens in all that is stored, in any spelling', () => {
    const haystack = values.map(asBytes);
    // that the search finds what is there
    expect(haystack.some((bytes) => bytes.includes('message-created'))).toBe(true);
    const tokens = sent.map(({ token }) => token);
    const needles = [
      ...planted.flatMap((body) => spellings(Buffer.from(body))),
      ...tokens.map((token) => Buffer.from(token)),
      ...tokens.flatMap((token) => spellings(Buffer.from(token, 'base64url'))),
    ];
    const hits = needles.filter((needle) => haystack.some((bytes) => bytes.includes(needle)));
    expect(hits.map(String)).toEqual([]);
  });

  test('opens nothing with any stored value as the token', async () => {
    const stored = values.map(asBytes);
    const tries = new Set([...stored.flatMap(spellings), ...stored].map(String));
    const possible = [...tries].filter((text) => /^[\w.:+/=-]{1,200}$/.test(text));
    expect(possible.length).toBeGreaterThan(200);
    const opened: string[] = [];
    const tryAsToken = async (text: string): Promise<void> => {
      const path = `/v1/messages/${encodeURIComponent(text)}`;
      const answers = await Promise.all([
        fetch(gatehouse.url + path),
        fetch(`${gatehouse.url}${path}/reveal`, { method: 'POST' }),
      ]);
      if (answers.some(({ status }) => status !== 404)) opened.push(text);
    };
    while (possible.length > 0) await Promise.all(possible.splice(0, 32).map(tryAsToken));
    expect(opened).toEqual([]);
    // and the messages were all there to be opened
    for (const [index, { path }] of sent.entries()) {
      expect((await gatehouse.api.post(`${path}/reveal`)).body.body).toBe(planted[index]);
    }
  });
});

/** Every value of every row of every table. */
async function dump(from: SqlEntityManager): Promise<unknown[]> {
  const em = from.fork();
  const tables = await em.execute<{ name: string }[]>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  const rows: object[] = [];
  for (const { name } of tables) rows.push(...(await em.execute<object[]>(`select * from "${name}"`)));
  return rows.flatMap((row) => Object.values(row));
}

/**
 * What the master key opens, and what the keys open that it has opened: whatever
 * context they were sealed under.
 */
function openable(stored: readonly unknown[], masterKey: Buffer): Buffer[] {
  const sealed = stored.filter((value) => value instanceof Uint8Array).map((value) => Buffer.from(value));
  const contexts = [
    'sealed-key:links',
    ...stored.filter((value) => typeof value === 'string').map((id) => `message:${id}`),
  ];
  const open = (key: Buffer): Buffer[] =>
    sealed.flatMap((value) => contexts.flatMap((context) => tryOpen(new MasterKey(key), value, context)));
  const first = open(masterKey);
  const second = first.filter(({ length }) => length === 32).flatMap(open);
  expect([first.length, second.length], 'the thief knows how to open what can be opened').toEqual([1, 10]);
  return [...first, ...second];
}

function tryOpen(key: MasterKey, value: Buffer, context: string): Buffer[] {
  try {
    return [key.open(value, context)];
  } catch {
    return [];
  }
}

function asBytes(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (value instanceof Date) return Buffer.from(value.toISOString());
  return Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

const spellings = (bytes: Buffer): Buffer[] => [
  bytes,
  ...(['hex', 'base64', 'base64url'] as const).map((encoding) =>
    Buffer.from(bytes.toString(encoding).replace(/=+$/, '')),
  ),
];

const bodyOf = async ({ api }: Gatehouse, { path }: Sent): Promise<string> =>
  (await api.post(`${path}/reveal`)).body.body;

describe('a change of the master key', () => {
  const [first, second] = [base64(), base64()];
  let own: OwnDatabase;
  let person: Person;

  beforeAll(async () => {
    own = await copyDatabase();
  });
  afterAll(async () => {
    await own.drop();
  });

  const during = async <T>(keys: Record<string, string>, work: (gatehouse: Gatehouse) => Promise<T>): Promise<T> => {
    const gatehouse = await startGatehouse(keys, own);
    try {
      return await work(gatehouse);
    } finally {
      await gatehouse.stop();
    }
  };
  test('loses no message, neither those from before nor those from between', async () => {
    const old = await during({ MASTER_KEY: first }, async (gatehouse) => {
      person = await newPerson(gatehouse);
      return newMessage(gatehouse, { token: person.token, body: 'from before', maxReads: 3 });
    });
    const between = await during({ MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }, async (gatehouse) => {
      expect(await bodyOf(gatehouse, old)).toBe('from before');
      const made = await newMessage(gatehouse, { token: person.token, body: 'from between', maxReads: 3 });
      await gatehouse.app.get(KeyRotationService).reseal();
      expect(await gatehouse.app.get(SealedKeysRepository).reseal()).toBeGreaterThan(0);
      expect(await gatehouse.app.get(SealedKeysRepository).reseal()).toBe(0);
      expect(await bodyOf(gatehouse, old)).toBe('from before');
      return made;
    });
    await during({ MASTER_KEY: second }, async (gatehouse) => {
      expect(await bodyOf(gatehouse, old)).toBe('from before');
      expect(await bodyOf(gatehouse, between)).toBe('from between');
    });
  });
});
