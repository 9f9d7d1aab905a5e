import { gzipSync } from 'node:zlib';

import { beforeAll, describe, expect, test } from 'vitest';

import { type ExportOptions, BulkExportService } from '#libs/user-import';

import { importRow, importUsers, toNdjson } from '../support/imports.js';
import { registration, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const send = (rows: Parameters<typeof importUsers>[1], query = '') => importUsers(gatehouse, rows, { token, query });
const sendCsv = (text: string | Uint8Array) => importUsers(gatehouse, text, { token, type: 'text/csv' });
const importCsv = (text: string | Uint8Array, query = '') =>
  importUsers(gatehouse, text, { token, type: 'text/csv', query });
const csvRow = (): string => `${uniqueName()},Ada,Lovelace\n`;
const read = async (id: string) => (await gatehouse.api.get(`/v1/users/${id}`, { token })).body;
async function exportUsers(options: Partial<ExportOptions> = {}): Promise<string> {
  const chosen = { format: 'ndjson', hashes: 'with-hashes', cells: 'exact', ...options } as const;
  let text = '';
  for await (const chunk of gatehouse.app.get(BulkExportService).run(chosen)) text += chunk.text;
  return text;
}
const startOfCsv = async (cells: 'exact' | 'spreadsheet') => (await exportUsers({ format: 'csv', cells })).slice(0, 8);
/** bcrypt, cost 6, of `abc` (jBCrypt) */
const passwordHash = '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i';

describe('a body', () => {
  test('may have a byte order mark, CRLF, empty lines, and no line break at its end', async () => {
    const text = `\uFEFF${JSON.stringify(importRow())}\r\n\r\n   \n${JSON.stringify(importRow())}`;
    const { results } = await send(text);
    expect(results.map(({ row, status }) => [row, status])).toEqual([
      [1, 'created'],
      [4, 'created'],
    ]);
  });

  test('loses just the lines that are broken', async () => {
    const good = toNdjson([importRow()]);
    const badUtf8 = Buffer.concat([Buffer.from('{"userName":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}\n')]);
    const long = `{"userName":"${'x'.repeat(200_000)}"}\n`;
    const parts = [good, 'nonsense\n', long, badUtf8, '[]\n', 'null\n', `${'['.repeat(9_000)}\n`, '{"a":1\0}\n', good];
    const { results } = await send(Buffer.concat(parts.map((part) => Buffer.from(part))));
    expect(results.map(({ status, code }) => code ?? status)).toEqual([
      'created',
      'malformed-json',
      'body-too-large',
      'invalid-encoding',
      'invalid-request',
      'invalid-request',
      'malformed-json',
      'malformed-json',
      'duplicate-row',
    ]);
  });

  test('of 1,000 rows is answered by a line each, in order, or only by those that were refused', async () => {
    const rows = Array.from({ length: 1_000 }, (_, at) => importRow({ roles: at % 100 === 7 ? [] : ['user'] }));
    const { results, summary } = await send(rows);
    expect(results.map(({ row }) => row)).toEqual(rows.map((_, at) => at + 1));
    expect(summary).toMatchObject({ rows: 1_000, created: 990, refused: 10 });
    const again = await send(rows, '?report=refused');
    expect(again.results.map(({ row }) => row)).toEqual(Array.from({ length: 10 }, (_, at) => at * 100 + 8));
    expect(again.summary).toMatchObject({ rows: 1_000, exists: 990, refused: 10 });
  });

  test('that is empty is an import of nothing', async () => {
    expect((await send('\n')).summary).toMatchObject({ done: true, rows: 0 });
  });

  test('of another type is refused, and rows are refused elsewhere', async () => {
    const statuses = [
      await importUsers(gatehouse, '{}', { token, type: 'application/json' }),
      await importUsers(gatehouse, '{}', { token, headers: { 'content-encoding': 'br' } }),
      await importUsers(gatehouse, '{}', { token, type: 'text/csv; charset=latin1' }),
    ].map(({ answer }) => answer.status);
    expect(statuses).toEqual([415, 415, 415]);
    const headers = { 'content-type': 'application/x-ndjson' };
    expect((await gatehouse.api.post('/v1/users', { body: JSON.stringify(registration()), headers })).status).toBe(415);
  });
});

describe('a body under the names that clients give it', () => {
  const header = 'userName,firstName,lastName\n';

  test.each([
    'application/vnd.ms-excel',
    'application/csv',
    'text/x-csv',
    'text/comma-separated-values',
    'TEXT/CSV; header=present',
  ])('as %s is CSV', async (type) => {
    const { summary } = await importUsers(gatehouse, header + csvRow(), { token, type });
    expect(summary).toMatchObject({ created: 1 });
  });

  test.each(['application/ndjson', 'application/jsonl'])('as %s is a row a line', async (type) => {
    expect((await importUsers(gatehouse, [importRow()], { token, type })).summary).toMatchObject({ created: 1 });
  });

  test('may be packed with gzip, or say that it is not packed', async () => {
    const packed = { token, headers: { 'content-encoding': 'gzip' } };
    const rows = toNdjson(Array.from({ length: 1_100 }, () => importRow()));
    expect((await importUsers(gatehouse, gzipSync(rows), packed)).summary).toMatchObject({
      done: true,
      created: 1_100,
    });
    const plain = { token, headers: { 'content-encoding': 'identity' } };
    expect((await importUsers(gatehouse, [importRow()], plain)).summary).toMatchObject({ created: 1 });
    const broken = await importUsers(gatehouse, gzipSync(toNdjson([importRow()])).subarray(0, -9), packed);
    expect(broken.summary).toMatchObject({ done: false, stopped: { code: 'bad-request' } });
    const none = await importUsers(gatehouse, [importRow()], packed);
    expect([none.answer.status, none.answer.body.code]).toEqual([400, 'bad-request']);
  });
});

describe('CSV', () => {
  test.each([
    [';', ''],
    ['\t', ''],
    [';', '?delimiter=%3B'],
    ['\t', '?delimiter=%09'],
  ])('may have %j between its cells (asked for by %j)', async (delimiter, query) => {
    const cells = [
      ['userName', 'firstName', 'lastName'],
      [uniqueName(), 'a,b', 'C'],
    ];
    const { results } = await importCsv(cells.map((record) => `${record.join(delimiter)}\r\n`).join(''), query);
    expect(await read(results[0].id)).toMatchObject({ firstName: 'a,b' });
  });

  test('may begin with what Excel takes for its delimiter', async () => {
    const text = `\uFEFFsep=;\r\nuserName;firstName;lastName\r\n${uniqueName()};Ada;Lovelace\r\n`;
    expect((await importCsv(text)).summary).toMatchObject({ created: 1, refused: 0 });
  });

  test('loses records without text, blanks around a cell and roles that are none', async () => {
    const rows = [',,,', ` ${uniqueName()} ,Ada,Lovelace,"user, "`, ' , ,\t,', `${uniqueName()},Ada,Lovelace,user;`];
    const { results } = await importCsv(`userName,firstName,lastName,roles\n${rows.join('\n')}\n,,,\n`);
    expect(results.map(({ row, status }) => [row, status])).toEqual([
      [1, 'created'],
      [2, 'created'],
    ]);
  });

  test('is read by the names in its first line, with quotes, line breaks in quotes and empty cells', async () => {
    const [one, two, email] = [uniqueName(), uniqueName(), `${uniqueName()}@example.org`];
    const text = `\uFEFFlastName,firstName,userName,email,roles\r\n"O""Neill, Jr","=1+1",${one},${email},"user, admin"\r\n\r\nB,A,${two},,\r\n`;
    const { results } = await sendCsv(text);
    expect(results.map(({ row, status }) => [row, status])).toEqual([
      [1, 'created'],
      [2, 'created'],
    ]);
    const [first, second] = [await read(results[0].id), await read(results[1].id)];
    expect(first).toMatchObject({ firstName: '=1+1', lastName: 'O"Neill, Jr', email, roles: ['user', 'admin'] });
    expect(second).toMatchObject({ email: null, roles: ['user'] });
  });

  test('loses just the records that are broken', async () => {
    const notUtf8 = Buffer.from([0x61, 0xff, 0x2c, 0x62, 0x2c, 0x63, 0x0a]);
    const parts = [
      'userName,firstName,lastName\n',
      csvRow(),
      'too,few\n',
      notUtf8,
      'one,too,many,x\n',
      '"a\nb",A,B\n',
      csvRow(),
    ];
    const { results } = await sendCsv(Buffer.concat(parts.map((part) => Buffer.from(part))));
    expect(results.map(({ status, code }) => code ?? status)).toEqual([
      'created',
      'malformed-csv',
      'invalid-encoding',
      'malformed-csv',
      'invalid-request',
      'created',
    ]);
  });

  test.each([
    ['an unknown column', 'userName,firstName,lastName,Password\n', 'Password'],
    ['a column that comes twice', 'userName,firstName,lastName,userName\n', 'more than once: userName'],
    ['no column for the name', 'firstName,lastName\n', 'missing: userName'],
    ['20,000 columns', `${Array.from({ length: 20_000 }, (_, at) => `c${at}`).join(',')}\n`, 'longer than'],
    ['100 columns', `${Array.from({ length: 100 }, (_, at) => `c${at}`).join(',')}\n`, 'More than 64 columns'],
  ])('with %s does not even begin', async (_, header, detail) => {
    const { answer } = await sendCsv(`${header}a,b,c\n`);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed-csv']);
    expect(answer.body.detail).toContain(detail);
  });

  test('whose quote is never closed is read no further', async () => {
    const { answer } = await sendCsv(`userName,firstName,lastName\na,b,c\n"${'x'.repeat(140_000)}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed-csv']);
    expect(answer.body.detail).toContain('quote may be missing, near line 3');
  });
});

describe('an export', () => {
  test('brings back names of any kind just as they were', async () => {
    const names = [
      '\uFFFD',
      ' blank ',
      "'quoted'",
      '"quoted"',
      '=1+1',
      '@x',
      'a,b;c\td',
      '\u{1F469}\u200D\u{1F52C}',
      'e\u0301',
    ];
    const prefix = uniqueName('exact');
    const rows = names.map((name, at) =>
      importRow({ userName: `${prefix}${at}`, firstName: name, lastName: `${name}x` }),
    );
    const { results } = await send(rows);
    const taken = results.flatMap(({ status }, at) => (status === 'created' ? [at] : []));
    expect(taken.length).toBeGreaterThan(6);
    const before = await exportUsers({ format: 'csv' });
    for (const at of taken)
      expect((await gatehouse.api.delete(`/v1/users/${results[at].id}`, { token })).status).toBe(204);
    expect((await importUsers(gatehouse, before, { token, type: 'text/csv' })).summary).toMatchObject({
      created: taken.length,
      refused: 0,
    });
    expect(await exportUsers({ format: 'csv' })).toBe(before);
  });

  test('for spreadsheets begins with a byte order mark, and none else does', async () => {
    expect([await startOfCsv('exact'), await startOfCsv('spreadsheet')]).toEqual(['id,subje', '\uFEFFid,subj']);
  });

  test('has hashes only if asked for, and none where there is no password', async () => {
    const row = importRow({ passwordHash });
    await send([row, importRow()]);
    expect(await exportUsers({ hashes: 'without-hashes' })).not.toContain('passwordHash');
    expect(await exportUsers()).toContain(passwordHash);
    expect(await exportUsers()).not.toContain('"!"');
  });

  test.each(['ndjson', 'csv'] as const)('as %s is taken by an import as it is', async (format) => {
    const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
    await send([importRow({ firstName: '=1+1', lastName: 'a"b,c', externalId: uniqueName() })]);
    const { results, summary } = await importUsers(gatehouse, await exportUsers({ format }), { token, type });
    expect(results.filter(({ status }) => status !== 'exists')).toEqual([]);
    expect(summary.exists).toBeGreaterThan(20);
  });
});
