import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';
import { Sql } from '#libs/platform/database';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

import { copyDatabase, type OwnDatabase } from '../support/copy-database.js';
import type { Person } from '../support/people.js';
import { codeOf, newPersonWithTotp, type SecondFactor, useCode, wrongCodeOf } from '../support/second-factors.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const bytesOf = (secret: string): Buffer => {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
};

describe('a second factor in the database and in the log', () => {
  // mail that waits is in the dump too
  const gatehouse = useGatehouse({
    environment: { MAIL: 'smtp', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'id@example.org' },
  });

  /** Every value of every row, bytes in hexadecimal and as text. */
  async function dump(): Promise<string> {
    const sql = gatehouse.app.get(Sql);
    const tables = await sql.rows<{ name: string }>(
      { text: `select table_name as name from information_schema.tables where table_schema = 'public'` },
      [],
    );
    const texts = await Promise.all(
      tables.map(async ({ name }) => {
        const rows = await sql.rows<{ row: string }>({ text: `select t::text as row from "${name}" t` }, []);
        return rows.map(({ row }) => row).join('\n');
      }),
    );
    return texts.join('\n');
  }
  test('is no secret and no code, in no spelling, used, wrong or not used yet', async () => {
    const person = await newPersonWithTotp(gatehouse, { email: 'ada@example.org' });
    const { secret, recoveryCodes, token } = person;
    const wrong = wrongCodeOf(secret);
    const confirm = '/v1/auth/second-factor/totp/confirm';
    for (const code of [wrong, codeOf(secret), recoveryCodes[2]]) {
      await gatehouse.api.post(confirm, { token, body: { code } });
    }
    expect(await useCode(gatehouse, person, recoveryCodes[0] ?? '')).toBe('recovery-code');
    const renewed = await gatehouse.api.post('/v1/auth/second-factor/recovery-codes', { token });
    const everything = `${await dump()}\n${gatehouse.log.map((line) => JSON.stringify(line)).join('\n')}`;
    expect(everything).toContain(person.id);
    const bytes = bytesOf(secret);
    const codes = [...recoveryCodes, ...renewed.body.recoveryCodes];
    const spellings = [
      secret,
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      ...codes.flatMap((code: string) => [code, code.replace('-', ''), Buffer.from(code).toString('hex')]),
    ];
    for (const spelling of spellings) expect(everything.toLowerCase()).not.toContain(spelling.toLowerCase());
    // six digits stand anywhere by chance, but not as a value of their own
    for (const code of [wrong, codeOf(secret)]) expect(everything).not.toMatch(new RegExp(`["(,]${code}["),]`));
  });
});

describe('a new master key', () => {
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  let own: OwnDatabase;
  let person: Person & SecondFactor;

  beforeAll(async () => {
    own = await copyDatabase();
  });
  afterAll(async () => {
    await own.drop();
  });

  const during = async (keys: Record<string, string>, work: (gatehouse: Gatehouse) => Promise<void>): Promise<void> => {
    const gatehouse = await startGatehouse(keys, own);
    try {
      await work(gatehouse);
    } finally {
      await gatehouse.stop();
    }
  };

  test('ends no second factor and no recovery code', async () => {
    await during({ MASTER_KEY: first }, async (gatehouse) => {
      person = await newPersonWithTotp(gatehouse);
    });
    await during({ MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }, async (gatehouse) => {
      expect(await useCode(gatehouse, person, codeOf(person.secret))).toBe('totp');
      expect(await useCode(gatehouse, person, person.recoveryCodes[0] ?? '')).toBe('recovery-code');
      await gatehouse.app.get(KeyRotationService).reseal();
      expect(await gatehouse.app.get(SealedKeysRepository).reseal()).toBeGreaterThan(0);
    });
    await during({ MASTER_KEY: second }, async (gatehouse) => {
      expect(await useCode(gatehouse, person, codeOf(person.secret, 1))).toBe('totp');
      expect(await useCode(gatehouse, person, person.recoveryCodes[1] ?? '')).toBe('recovery-code');
    });
  });
});
