import { createHash, randomUUID } from 'node:crypto';
import { request } from 'node:http';

import { beforeAll, describe, expect, test } from 'vitest';

import { BulkExportService } from '#libs/user-import';

import { importRow, importUsers, toNdjson } from '../support/imports.js';
import { isAccepted, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Gatehouse, startGatehouse } from '../support/start-gatehouse.js';
import { movedUser, movedUsers, password, spellingNames } from '../support/subjects.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
const moved = movedUsers(1_000);
let token: string;
let service: Service;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
  service = await newService(gatehouse, { token, scopes: ['tokens:introspect'] });
  const rows = moved.map(({ row }) => row);
  const { summary } = await importUsers(gatehouse, rows, { token, query: '?report=refused' });
  if (summary.created !== 1_000) throw new Error(`not all were imported: ${JSON.stringify(summary)}`);
});

const claimsOf = (accessToken: string): any => takeApart(gatehouse, accessToken).claims;
const introspect = async (text: string): Promise<any> => {
  const body = new URLSearchParams({ token: text });
  return (await gatehouse.api.post('/v1/auth/introspect', { body, headers: service.headers })).body;
};
const explain = async (text: string): Promise<any> =>
  (await gatehouse.api.post('/v1/auth/explain', { token, body: { token: text } })).body;
const audited = async (query: Record<string, string>): Promise<any[]> =>
  (await gatehouse.api.get(`/v1/audit?${new URLSearchParams(query).toString()}`, { token })).body.items;

const exported = async (from: Gatehouse, format: 'ndjson' | 'csv'): Promise<string> => {
  const options = { format, hashes: 'with-hashes', cells: 'exact' } as const;
  let text = '';
  for await (const chunk of from.app.get(BulkExportService).run(options)) text += chunk.text;
  return text;
};
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the id that other services know', () => {
  test.each(spellingNames)('%s goes on being the `sub` wherever a token is spoken of', async (spelling) => {
    const { sub, row } = moved[spellingNames.indexOf(spelling)] ?? movedUser(spelling);
    const user = await signIn(gatehouse, { userName: String(row['userName']), password });
    const claims = claimsOf(user.token);
    const { id } = (await gatehouse.api.get('/v1/users/me', { token: user.token })).body;
    if (row['id'] !== undefined) expect(id).toBe((row['id'] as string).toLowerCase());
    expect([claims.sub, claims.uid]).toEqual([sub, sub === id ? undefined : id]);
    expect(await introspect(user.token)).toMatchObject({ active: true, sub });
    expect(await introspect(user.refreshToken)).toMatchObject({ active: true, sub, token_type: 'refresh_token' });
    const explained = await explain(user.token);
    expect([explained.isAccepted, explained.userId, explained.subject ?? id]).toEqual([true, id, sub]);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: user.refreshToken } });
    expect(claimsOf(body.accessToken).sub).toBe(sub);
    const [event] = await audited({ subject: sub });
    expect(event).toMatchObject({ event: 'login-succeeded', userId: id, subject: sub, callerSubject: null });
  });

  test('is in the audit trail of the acting user too, until that user is erased', async () => {
    const { sub, row } = movedUser('Auth0');
    await importUsers(gatehouse, [row], { token });
    const user = await signIn(gatehouse, { userName: String(row['userName']), password });
    await gatehouse.api.patch('/v1/users/me', { token: user.token, body: { lastName: 'Murray' } });
    const [event] = await audited({ subject: sub, event: 'user-changed' });
    expect([event.subject, event.callerSubject, event.caller]).toEqual([sub, sub, `user:${event.userId}`]);
    expect((await gatehouse.api.delete('/v1/users/me', { token: user.token })).status).toBe(204);
    const proof = await audited({ userId: event.userId });
    expect(proof).toMatchObject([{ event: 'user-deleted', subject: null, callerSubject: null }]);
    expect(await audited({ subject: sub })).toEqual([]);
    const after = (await audited({ event: 'user-changed' })).find(({ id }) => id === event.id);
    expect([after?.subject, after?.callerSubject]).toEqual([null, null]);
    expect(JSON.stringify(after)).not.toContain(sub);
  });

  test('ends with the user: deactivated or deleted, its tokens are dead', async () => {
    for (const end of ['deactivate', 'delete']) {
      const { sub, row } = movedUser('a UUID in capital letters');
      const { id } = (await importUsers(gatehouse, [row], { token })).results[0];
      const user = await signIn(gatehouse, { userName: String(row['userName']), password });
      expect(await isAccepted(gatehouse, user.token)).toBe(true);
      if (end === 'delete') await gatehouse.api.delete(`/v1/users/${id}`, { token });
      else await gatehouse.api.patch(`/v1/users/${id}`, { token, body: { status: 'deactivated' } });
      expect(await isAccepted(gatehouse, user.token)).toBe(false);
      expect(await introspect(user.token)).toEqual({ active: false });
      expect(await explain(user.token)).toMatchObject({ isAccepted: false, userId: id, subject: sub });
    }
  });
});

describe('an export that is read back into an empty service', () => {
  test.each([
    ['ndjson', 'application/x-ndjson'],
    ['csv', 'text/csv'],
  ] as const)('as %s is the same to the byte', async (format, type) => {
    // an empty service has an administrator, who sends the rows: both have the same one
    const whole = await exported(gatehouse, format);
    const ownLine = /^.*\badmin,First,Administrator.*\r\n|^.*"userName":"admin".*\n/m;
    const other = await startGatehouse();
    try {
      const { token: boss } = await signInAdmin(other);
      const text = whole.replace(ownLine, '');
      const { summary } = await importUsers(other, text, { token: boss, type, query: '?report=refused' });
      expect(summary).toMatchObject({ done: true, refused: 0 });
      const again = (await exported(other, format)).replace(ownLine, '');
      expect(digest(again)).toBe(digest(text));
      // read back once more, it finds everybody
      const repeat = await importUsers(other, text, { token: boss, type, query: '?report=refused' });
      expect(repeat.summary).toMatchObject({ done: true, created: 0, refused: 0, exists: summary.created });
    } finally {
      await other.stop();
    }
  });
});

test('an import whose connection was cut is sent again, and finds its rows', async () => {
  const rows = movedUsers(2_200).map(({ row }) => row);
  const text = toNdjson(rows);
  const { hostname, port } = new URL(gatehouse.url);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
  const sent = request({ hostname, port, path: '/v1/users/import', method: 'POST', headers });
  sent.on('error', () => undefined);
  const answered = new Promise((resolve) => sent.on('response', (answer) => answer.once('data', resolve)));
  // the results of the first batch come while the rest is awaited
  sent.write(text.slice(0, -200));
  await answered;
  sent.destroy();
  const { summary } = await importUsers(gatehouse, rows, { token, query: '?report=refused' });
  expect(summary).toMatchObject({ done: true, rows: 2_200, refused: 0 });
  expect(summary.exists).toBeGreaterThan(0);
  expect(summary.created + summary.exists).toBe(2_200);
  const last = await importUsers(gatehouse, rows, { token, query: '?report=refused' });
  expect(last.summary).toMatchObject({ exists: 2_200, created: 0 });
});

describe('a collision', () => {
  const [id, other, subject, externalId] = [randomUUID(), randomUUID(), `auth0|${uniqueName()}`, uniqueName('legacy')];
  const userName = uniqueName();
  const upper = other.toUpperCase();

  beforeAll(async () => {
    const rows = [importRow({ id, subject, externalId, userName }), importRow({ id: other })];
    const { summary } = await importUsers(gatehouse, rows, { token });
    if (summary.created !== 2) throw new Error(`not both were imported: ${JSON.stringify(summary)}`);
  });

  const cases: [what: string, fields: Record<string, unknown>, result: string, path?: string][] = [
    ['the same user again', { id, subject, externalId, userName }, 'exists'],
    ['its id alone, under a new name', { id }, 'exists'],
    ['its id in capital letters', { id: id.toUpperCase() }, 'exists'],
    ['its subject alone', { subject }, 'exists'],
    ['its external id alone', { externalId }, 'exists'],
    ['its user name alone', { userName }, 'exists'],
    ['its id with another subject', { id, subject: 'new' }, 'id-taken', 'subject'],
    ['its id with its id as the subject', { id, subject: id }, 'id-taken', 'subject'],
    ['its id with another external id', { id, externalId: 'new' }, 'id-taken', 'externalId'],
    ['its subject with another id', { id: randomUUID(), subject }, 'subject-taken', 'id'],
    ['its external id with another id', { id: randomUUID(), externalId }, 'external-id-taken', 'id'],
    ['its external id with another subject', { subject: 'new', externalId }, 'external-id-taken', 'subject'],
    ['its user name with another id', { id: randomUUID(), userName }, 'user-name-taken', 'id'],
    ['its user name with another subject', { subject: 'new', userName }, 'user-name-taken', 'subject'],
    ['its user name with another external id', { externalId: 'new', userName }, 'user-name-taken', 'externalId'],
    ['the id of one and the name of another', { id: other, userName }, 'user-name-taken', 'userName'],
    ['the id of one and the subject of another', { id: other, subject }, 'subject-taken', 'subject'],
    ['a subject written like the id of another', { subject: id }, 'subject-taken', 'subject'],
    ['a subject like the id of another in capital letters', { subject: upper }, 'subject-taken', 'subject'],
  ];
  test.each(cases)('%s', async (_, fields, result, path) => {
    for (const query of ['', '?onExisting=update']) {
      const { results } = await importUsers(gatehouse, [importRow(fields), importRow()], { token, query });
      const [first, second] = results;
      expect(second.status).toBe('created');
      const there = query === '' ? ['exists'] : ['updated', 'unchanged'];
      if (result === 'exists') expect(there).toContain(first.status);
      else expect(first).toMatchObject({ status: 'refused', code: result, errors: [{ path, code: result }] });
    }
  });

  test('an id that is the subject of another user is taken', async () => {
    const taken = randomUUID();
    const rows = [importRow({ subject: taken }), importRow({ id: taken }), importRow({ id: taken, subject: 'x' })];
    const { results } = await importUsers(gatehouse, rows, { token });
    expect(results.map(({ status, code }) => code ?? status)).toEqual(['created', 'id-taken', 'id-taken']);
  });

  test.each(['in one file', 'in a dry run'])('rows collide with each other %s', async () => {
    const [a, b, c, s] = [randomUUID(), randomUUID(), randomUUID(), uniqueName('subject')];
    const same = importRow({ id: a, subject: s });
    const rows = [
      [same, 'created'],
      [same, 'duplicate-row'],
      [importRow({ id: a.toUpperCase() }), 'id-taken'],
      [importRow({ subject: s }), 'subject-taken'],
      [importRow({ subject: a }), 'subject-taken'],
      [importRow({ id: b, subject: `${s} ` }), 'created'],
      [importRow({ subject: s.toUpperCase() }), 'created'],
      [importRow({ id: c, userName: same['userName'] }), 'user-name-taken'],
      [importRow({ id: c }), 'created'],
    ] as const;
    const { results } = await importUsers(
      gatehouse,
      rows.map(([row]) => row),
      { token },
    );
    expect(results.map(({ status, code }) => code ?? status)).toEqual(rows.map(([, result]) => result));
  });

  test('nothing is normalised: a subject of other case, blanks or composition is another one', async () => {
    const name = uniqueName('Zoë');
    const subjects = [name, ` ${name}`, name.toUpperCase(), name.normalize('NFD'), '\u{1F600}'.repeat(255)];
    const text = `subject,userName,firstName,lastName,passwordHash\n${subjects
      .map((subject) => `${subject},${uniqueName()},A,B,${String(movedUser('Auth0').row['passwordHash'])}`)
      .join('\n')}\n`;
    const { results } = await importUsers(gatehouse, text, { token, type: 'text/csv' });
    expect(results.map(({ status }) => status)).toEqual(subjects.map(() => 'created'));
    const found = await Promise.all(subjects.map((subject) => audited({ subject })));
    expect(found).toEqual(subjects.map(() => []));
  });
});

describe('what a row may give', () => {
  test('any role that there is, when an administrator sends it', async () => {
    const name = uniqueName('role');
    const large = uniqueName('role');
    const permissions = Array.from({ length: 40 }, (_, at) => `${at}`.padStart(100, 'x'));
    for (const body of [
      { name, permissions: ['orders:read'] },
      { name: large, permissions },
    ]) {
      expect((await gatehouse.api.post('/v1/roles', { token, body })).status).toBe(201);
    }
    const rows = [['user', name], ['nobody-has-this'], [large], ['user']].map((roles) => importRow({ roles }));
    const { results } = await importUsers(gatehouse, rows, { token });
    const outcomes = ['created', 'unknown-role', 'permissions-too-large', 'created'];
    expect(results.map(({ status, code }) => code ?? status)).toEqual(outcomes);
    expect(results[1].errors).toMatchObject([{ path: 'roles', code: 'unknown-role' }]);
    const user = await newService(gatehouse, { token, scopes: ['users:write'] });
    const [refused] = (await importUsers(gatehouse, [importRow({ roles: [name] })], { headers: user.headers })).results;
    expect(refused).toMatchObject({ status: 'refused', code: 'forbidden' });
  });

  test('a profile and metadata, up to 16 KB together', async () => {
    const rows = [
      importRow({ profile: { bio: 'x'.repeat(8_000) }, metadata: { note: 'y'.repeat(8_000) } }),
      importRow({ profile: { bio: 'x'.repeat(16_400) } }),
    ];
    const { results } = await importUsers(gatehouse, rows, { token });
    expect(results.map(({ status, code }) => code ?? status)).toEqual(['created', 'profile-too-large']);
  });
});
