import { createHash } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';
import { BulkExportService } from '#libs/user-import';

import { importRow, importUsers } from '../support/imports.js';
import { signInAdmin, uniqueName } from '../support/people.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

type Row = Record<string, unknown>;
const address = (): string => `${uniqueName()}@example.org`;
const verified = (): Row => importRow({ email: address(), emailVerified: true });
const sql = (text: string, values: readonly unknown[]): Promise<any[]> => gatehouse.app.get(Sql).rows({ text }, values);

/** What a user's address is after the rows, one import each. */
async function after(...rows: readonly Row[]): Promise<{ email: string | null; isVerified: boolean; last: string }> {
  let last = '';
  for (const row of rows) {
    const { results } = await importUsers(gatehouse, [row], { token, query: '?onExisting=update' });
    last = results[0].status;
  }
  const text = 'select email, email_verified as "isVerified" from users where user_name = $1';
  const [user] = await sql(text, [rows[0]?.['userName']]);
  return { ...user, last };
}

describe('a row of a new user', () => {
  test.each<[unknown, boolean]>([
    [true, true],
    [false, false],
    [null, false],
    [undefined, false],
  ])('with emailVerified %j', async (emailVerified, isVerified) => {
    const email = address();
    expect(await after(importRow({ email, emailVerified }))).toEqual({ email, isVerified, last: 'created' });
  });

  test('without an address has none that is verified', async () => {
    const expected = { email: null, isVerified: false, last: 'created' };
    expect(await after(importRow({ emailVerified: true }))).toEqual(expected);
    expect(await after(importRow({ email: null, emailVerified: true }))).toEqual(expected);
  });

  test.each<[string, boolean]>([
    ['true', true],
    ['TRUE', true],
    [' true ', true],
    ['false', false],
    ['FALSE', false],
    ['', false],
  ])('has it as the cell %j of CSV', async (cell, isVerified) => {
    const [userName, email] = [uniqueName(), address()];
    const text = `userName,firstName,lastName,email,emailVerified\n${userName},Grace,Hopper,${email},${cell}\n`;
    const { results } = await importUsers(gatehouse, text, { token, type: 'text/csv' });
    expect(results).toMatchObject([{ status: 'created' }]);
    const found = await sql('select email_verified as v from users where user_name = $1', [userName]);
    expect(found).toEqual([{ v: isVerified }]);
  });

  test.each(['yes', '1', 'verified', 'truefalse'])('with the cell %j is refused, and no other', async (cell) => {
    const text = `userName,firstName,lastName,emailVerified\n${uniqueName()},a,b,${cell}\n${uniqueName()},a,b,true\n`;
    const { results } = await importUsers(gatehouse, text, { token, type: 'text/csv' });
    expect(results).toMatchObject([
      { status: 'refused', code: 'invalid-request', errors: [{ path: 'emailVerified', code: 'invalid-type' }] },
      { status: 'created' },
    ]);
  });

  test.each([1, 'true', [], {}])('with %j in JSON is refused', async (emailVerified) => {
    const { results } = await importUsers(gatehouse, [importRow({ emailVerified })], { token });
    expect(results).toMatchObject([{ status: 'refused', errors: [{ path: 'emailVerified', code: 'invalid-type' }] }]);
  });
});

describe('a row that changes a user', () => {
  test('and does not speak of the address leaves it as it was', async () => {
    const row = verified();
    const { email, emailVerified: _, ...silent } = row;
    const changed = await after(row, { ...silent, lastName: 'Murray' });
    expect(changed).toEqual({ email, isVerified: true, last: 'updated' });
  });

  test('and says the same address, in whatever case, leaves it verified', async () => {
    const row = verified();
    const { emailVerified: _, ...silent } = row;
    expect(await after(row, silent)).toMatchObject({ isVerified: true, last: 'unchanged' });
    const email = String(row['email']).toUpperCase();
    expect(await after(row, { ...silent, email })).toEqual({ email, isVerified: true, last: 'updated' });
  });

  test('and gives another address makes it unverified, unless the row says so', async () => {
    const row = verified();
    const email = address();
    const { emailVerified: _, ...silent } = row;
    expect(await after(row, { ...silent, email })).toEqual({ email, isVerified: false, last: 'updated' });
    const again = address();
    const proven = { ...silent, email: again, emailVerified: true };
    expect(await after(row, proven)).toEqual({ email: again, isVerified: true, last: 'updated' });
  });

  test('and takes the address away leaves nothing that is verified', async () => {
    const row = verified();
    const gone = { email: null, isVerified: false, last: 'updated' };
    expect(await after(row, { ...row, email: null })).toEqual(gone);
    expect(await after(row, { ...row, email: null, emailVerified: true })).toEqual({ ...gone, last: 'updated' });
  });

  test('and says only whether it is verified changes that', async () => {
    const row = verified();
    const { email, ...bare } = row;
    const lowered = { ...bare, emailVerified: false };
    expect(await after(row, lowered)).toEqual({ email, isVerified: false, last: 'updated' });
    expect(await after(row, lowered, lowered)).toMatchObject({ isVerified: false, last: 'unchanged' });
    expect(await after(row, lowered, bare)).toEqual({ email, isVerified: true, last: 'updated' });
  });

  test('and is skipped changes nothing', async () => {
    const row = verified();
    await importUsers(gatehouse, [row], { token });
    const { results } = await importUsers(gatehouse, [{ ...row, emailVerified: false }], { token });
    expect(results).toMatchObject([{ status: 'exists' }]);
    expect(await after(row)).toMatchObject({ isVerified: true });
  });

  test('of two who swap addresses makes both unverified', async () => {
    const [one, other] = [verified(), verified()];
    await importUsers(gatehouse, [one, other], { token });
    const { emailVerified: _, ...first }: Row = { ...one, email: other['email'] };
    const { emailVerified: __, ...second }: Row = { ...other, email: one['email'] };
    await importUsers(gatehouse, [first, second], { token, query: '?onExisting=update' });
    for (const { userName, email } of [first, second]) {
      const found = await sql('select email, email_verified as v from users where user_name = $1', [userName]);
      expect(found).toEqual([{ email, v: false }]);
    }
  });

  test('and gives another address ends the one that waits to be confirmed', async () => {
    const row = verified();
    const { results } = await importUsers(gatehouse, [row], { token });
    const wait = 'update users set pending_email = $2 where id = $1 returning 1';
    const pending = async (): Promise<unknown> =>
      (await sql('select pending_email as p from users where id = $1', [results[0].id]))[0].p;
    await sql(wait, [results[0].id, 'waits@example.org']);
    await after(row, { ...row, lastName: 'Murray' });
    expect(await pending()).toBe('waits@example.org');
    await after(row, { ...row, email: address() });
    expect(await pending()).toBeNull();
  });
});

const exported = async (from: Gatehouse, format: 'ndjson' | 'csv'): Promise<string> => {
  const options = { format, hashes: 'with-hashes', cells: 'exact' } as const;
  let text = '';
  for await (const chunk of from.app.get(BulkExportService).run(options)) text += chunk.text;
  return text;
};
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('an export', () => {
  test('says of each user whether the address is verified', async () => {
    const [proven, not, none] = [
      importRow({ email: address(), emailVerified: true }),
      importRow({ email: address() }),
      importRow(),
    ];
    await importUsers(gatehouse, [proven, not, none], { token });
    const users = (await exported(gatehouse, 'ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const said = [proven, not, none].map(({ userName }) => users.find((user) => user.userName === userName));
    expect(said.map(({ emailVerified }) => emailVerified)).toEqual([true, false, false]);
  });

  test.each([
    ['ndjson', 'application/x-ndjson'],
    ['csv', 'text/csv'],
  ] as const)('as %s that is read back elsewhere gives the same digest', async (format, type) => {
    const ownLine = /^.*\badmin,First,Administrator.*\r\n|^.*"userName":"admin".*\n/m;
    const text = (await exported(gatehouse, format)).replace(ownLine, '');
    expect(text).toMatch(/true/);
    const other = await startGatehouse();
    try {
      const { token: boss } = await signInAdmin(other);
      const { summary } = await importUsers(other, text, { token: boss, type, query: '?report=refused' });
      expect(summary).toMatchObject({ done: true, refused: 0 });
      expect(digest((await exported(other, format)).replace(ownLine, ''))).toBe(digest(text));
      // once more as an update: nothing differs
      const again = await importUsers(other, text, { token: boss, type, query: '?report=refused&onExisting=update' });
      expect(again.summary).toMatchObject({ done: true, refused: 0, updated: 0, unchanged: summary.created });
    } finally {
      await other.stop();
    }
  });
});
