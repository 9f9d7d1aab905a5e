import { beforeAll, describe, expect, test } from 'vitest';

import { importRow, importUsers } from '../support/imports.js';
import { newPerson, signIn, signInAdmin, uniqueName } from '../support/people.js';
import { newService } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let token: string;

beforeAll(async () => {
  token = (await signInAdmin(gatehouse)).token;
});

const send = (rows: Parameters<typeof importUsers>[1], query = '') => importUsers(gatehouse, rows, { token, query });
const read = async (id: string) => (await gatehouse.api.get(`/v1/users/${id}`, { token })).body;
/** bcrypt, cost 6, of `abc` (jBCrypt) */
const passwordHash = '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i';

describe('a row', () => {
  test('becomes a user with all that it says', async () => {
    const row = importRow({
      email: 'Grace.Hopper@example.org',
      roles: ['user', 'admin'],
      status: 'deactivated',
      createdAt: '2019-05-06T07:08:09.123+02:00',
    });
    const { results, summary } = await send([row]);
    expect(results).toEqual([{ row: 1, status: 'created', id: expect.any(String) }]);
    expect(summary).toEqual({ done: true, rows: 1, created: 1, exists: 0, updated: 0, unchanged: 0, refused: 0 });
    const { createdAt: _, ...fields } = row;
    expect(await read(results[0].id)).toMatchObject({ ...fields, createdAt: '2019-05-06T05:08:09.123Z' });
  });

  test('without a hash makes a user who cannot log in until an administrator sets a password', async () => {
    const row = importRow();
    const { results } = await send([row]);
    const userName = String(row['userName']);
    for (const password of ['!', 'seven green bottles']) {
      const refused = await gatehouse.api.post('/v1/auth/login', { body: { userName, password } });
      expect([refused.status, refused.body.code]).toEqual([401, 'invalid-credentials']);
    }
    const password = 'nine yellow bottles';
    const path = `/v1/users/${results[0].id}/password`;
    expect((await gatehouse.api.put(path, { token, body: { password } })).status).toBe(204);
    await signIn(gatehouse, { userName, password });
  });

  test('with a hash lets its user in with the old password, typed in whichever normal form', async () => {
    // pbkdf2 of `lètmein` with a composed è (Django's tests)
    const django = 'pbkdf2_sha256$600000$seasalt$OAXyhAQ/4ZDA9V5RMExt3C1OwQdUpLZ99vm1McFlLRA=';
    const row = importRow({ passwordHash: django });
    await send([row]);
    const userName = String(row['userName']);
    await signIn(gatehouse, { userName, password: 'le\u0300tmein' });
    await signIn(gatehouse, { userName, password: 'l\u00e8tmein' });
  });

  const refusals: [string, Record<string, unknown>, string, string][] = [
    ['an unknown field', { password: 'seven green bottles' }, 'password', 'unknown-field'],
    ['a name of two scripts', { userName: 'аnn' }, 'userName', 'user-name-mixed-scripts'],
    ['a name with a space', { userName: 'ann lee' }, 'userName', 'user-name-disallowed-character'],
    ['a name with NUL', { userName: 'a\0b' }, 'userName', 'invalid'],
    ['no first name', { firstName: undefined }, 'firstName', 'required'],
    ['a last name of two lines', { lastName: 'a\nb' }, 'lastName', 'invalid'],
    ['an address that is none', { email: 'nowhere' }, 'email', 'invalid-format'],
    ['a proof of an address that is text', { emailVerified: 'true' }, 'emailVerified', 'invalid-type'],
    ['a role that cannot be', { roles: ['Root'] }, 'roles.0', 'invalid-format'],
    ['an id that is none', { id: '42' }, 'id', 'invalid-format'],
    ['an empty subject', { subject: '' }, 'subject', 'too-small'],
    ['a long subject', { subject: 'x'.repeat(256) }, 'subject', 'too-big'],
    ['a subject of two lines', { subject: 'a\nb' }, 'subject', 'invalid'],
    ['a profile that is no object', { profile: ['sales'] }, 'profile', 'invalid'],
    ['a profile with NUL in it', { profile: { a: ['b\0'] } }, 'profile.a.0', 'invalid-text'],
    ['a time without a zone', { createdAt: '2020-01-01T00:00:00' }, 'createdAt', 'invalid-format'],
    ['a time to come', { createdAt: '2999-01-01T00:00:00Z' }, 'createdAt', 'invalid'],
    ['an unknown hash', { passwordHash: '5f4dcc3b5aa765d61d8327deb882cf99' }, 'passwordHash', 'hash-unknown'],
    ['a broken hash', { passwordHash: passwordHash.slice(1, -1) }, 'passwordHash', 'hash-unknown'],
    ['a cut hash', { passwordHash: passwordHash.slice(0, -1) }, 'passwordHash', 'hash-malformed'],
    ['a costly hash', { passwordHash: passwordHash.replace('$06$', '$13$') }, 'passwordHash', 'hash-too-costly'],
  ];
  test.each(refusals)('with %s is refused, and the rows around it are not', async (_, fields, path, code) => {
    const { results, summary } = await send([importRow(), importRow(fields), importRow()]);
    expect(results.map(({ status }) => status)).toEqual(['created', 'refused', 'created']);
    expect(results[1]).toMatchObject({ row: 2, code: 'invalid-request', errors: [{ path, code }] });
    expect(summary).toMatchObject({ done: true, created: 2, refused: 1 });
  });
});

describe('a row whose user exists', () => {
  test('is told from a new one by name, whatever its case, or by external id', async () => {
    const externalId = uniqueName('legacy');
    const rows = [importRow({ externalId }), importRow()];
    const first = await send(rows);
    const ids = first.results.map(({ id }) => id);
    const renamed = { ...rows[0], userName: uniqueName() };
    const shouted = { ...rows[1], userName: String(rows[1]?.['userName']).toUpperCase() };
    const second = await send([...rows, renamed, shouted]);
    expect(second.results.map(({ status, id }) => [status, id])).toEqual(
      [ids[0], ids[1], ids[0], ids[1]].map((id) => ['exists', id]),
    );
    expect(second.summary).toMatchObject({ done: true, rows: 4, created: 0, exists: 4 });
  });

  test('shows its external id to whoever exports what is kept about that user', async () => {
    const externalId = uniqueName('legacy');
    const { id } = (await send([importRow({ externalId })])).results[0];
    const { body } = await gatehouse.api.get(`/v1/users/${id}/export`, { token });
    expect(body.externalIds).toEqual([{ externalId }]);
  });

  test('is refused where it means somebody else', async () => {
    const [email, externalId] = [`${uniqueName()}@example.org`, uniqueName('legacy')];
    const taken = importRow({ email, externalId });
    await send([taken]);
    const { results } = await send([
      importRow({ email: email.toUpperCase() }),
      importRow({ userName: taken['userName'], externalId: uniqueName('other') }),
    ]);
    expect(results.map(({ code }) => code)).toEqual(['email-taken', 'user-name-taken']);
  });

  test('is refused when an earlier row of the same import made it', async () => {
    const [row, externalId, email] = [importRow(), uniqueName('legacy'), `${uniqueName()}@example.org`];
    const rows = [
      row,
      row,
      importRow({ externalId }),
      importRow({ externalId }),
      importRow({ email }),
      importRow({ email }),
    ];
    const { results } = await send(rows);
    expect(results.map(({ status, code }) => code ?? status)).toEqual([
      'created',
      'duplicate-row',
      'created',
      'duplicate-row',
      'created',
      'email-taken',
    ]);
  });

  test('is left as it is, or brought up to date if asked for; password, roles and status stay', async () => {
    const row = importRow({ email: `${uniqueName()}@example.org`, passwordHash });
    const { id } = (await send([row])).results[0];
    const userName = String(row['userName']);
    const { token: own } = await signIn(gatehouse, { userName, password: 'abc' });
    const changed = { userName, firstName: 'Amazing', lastName: 'Grace', roles: ['admin'], status: 'deactivated' };
    expect((await send([changed])).results[0].status).toBe('exists');
    expect(await read(id)).toMatchObject({ firstName: 'Grace' });
    expect((await send([changed], '?onExisting=update')).results[0]).toEqual({ row: 1, status: 'updated', id });
    expect((await send([changed], '?onExisting=update')).results[0]).toEqual({ row: 1, status: 'unchanged', id });
    const { email } = row;
    expect(await read(id)).toMatchObject({ firstName: 'Amazing', email, roles: ['user'], status: 'active' });
    expect((await gatehouse.api.get('/v1/users/me', { token: own })).status).toBe(200);
    await send([{ ...changed, email: null, externalId: id }], '?onExisting=update');
    expect(await read(id)).toMatchObject({ email: null });
    expect((await send([{ ...importRow(), externalId: id }])).results[0]).toMatchObject({ status: 'exists', id });
  });

  test('does not get the address of another user, whether that one is there or comes with it', async () => {
    const [one, other, third] = [importRow({ email: `${uniqueName()}@example.org` }), importRow(), importRow()];
    await send([one, other, third]);
    const email = `${uniqueName()}@example.org`;
    const { results } = await send(
      [
        { ...other, email: one['email'] },
        { ...other, email },
        { ...third, email },
        { ...one, lastName: 'Murray' },
      ],
      '?onExisting=update',
    );
    expect(results.map(({ status, code }) => code ?? status)).toEqual([
      'email-taken',
      'duplicate-row',
      'updated',
      'updated',
    ]);
  });
});

const address = (): string => `${uniqueName()}@example.org`;
const outcomes = async (rows: readonly Record<string, unknown>[]): Promise<unknown[]> =>
  (await send(rows, '?onExisting=update')).results.map(({ status, code }) => code ?? status);
const emailOf = async ({ userName }: Record<string, unknown>): Promise<unknown> =>
  (await gatehouse.api.get(`/v1/users/by-user-name/${String(userName)}`, { token })).body.email;

describe('addresses that change hands', () => {
  test('two users exchange theirs, and three pass theirs on', async () => {
    const rows = Array.from({ length: 5 }, () => importRow({ email: address() }));
    await send(rows);
    const [a, b, c, d, e] = rows.map(({ email }) => email);
    const moved = [b, a, d, e, c].map((email, at) => Object.assign({}, rows[at], { email }));
    expect(await outcomes(moved)).toEqual(moved.map(() => 'updated'));
    expect(await Promise.all(rows.map(emailOf))).toEqual([b, a, d, e, c]);
    expect(await outcomes(moved)).toEqual(moved.map(() => 'unchanged'));
  });

  test('one gives up an address, another takes it, whichever row comes first, and whether new or not', async () => {
    const [giver, other, taker] = [importRow({ email: address() }), importRow({ email: address() }), importRow()];
    await send([giver, other, taker]);
    const rows = [
      { ...taker, email: giver['email'] },
      { ...giver, email: null },
      importRow({ email: other['email'] }),
      { ...other, email: address() },
    ];
    expect(await outcomes(rows)).toEqual(['updated', 'updated', 'created', 'updated']);
    expect(await Promise.all(rows.map(emailOf))).toEqual(rows.map(({ email }) => email));
  });

  test('who cannot have the new address keeps the old one, and nobody else gets it', async () => {
    const [stranger, first, second] = Array.from({ length: 3 }, () => importRow({ email: address() }));
    await send([stranger, first, second]);
    const rows = [
      { ...first, email: stranger?.['email'] },
      { ...second, email: first?.['email'] },
      importRow({ email: second?.['email'] }),
    ];
    expect(await outcomes(rows)).toEqual(['email-taken', 'email-taken', 'email-taken']);
    expect(await emailOf(first ?? {})).toBe(first?.['email']);
  });
});

const byRoles = (left: any, right: any): number => left.details.roles.localeCompare(right.details.roles);

describe('who may import', () => {
  test('administrators and services with users:write, nobody else', async () => {
    const person = await newPerson(gatehouse);
    const { headers } = await newService(gatehouse, { token, scopes: ['users:read'] });
    const callers = [{ token: person.token }, { headers }, {}];
    const answers = await Promise.all(callers.map((caller) => importUsers(gatehouse, [importRow()], caller)));
    expect(answers.map(({ answer }) => answer.status)).toEqual([403, 403, 401]);
  });

  test('a service makes users, but neither administrators nor changes', async () => {
    const { headers } = await newService(gatehouse, { token, scopes: ['users:write'] });
    const rows = [
      importRow({ roles: ['user'] }),
      importRow({ roles: ['admin'] }),
      importRow({ roles: ['user', 'admin'] }),
    ];
    const { results } = await importUsers(gatehouse, rows, { headers });
    expect(results.map(({ status, code }) => code ?? status)).toEqual(['created', 'forbidden', 'forbidden']);
    const update = await importUsers(gatehouse, rows, { headers, query: '?onExisting=update' });
    expect([update.answer.status, update.answer.body.code]).toEqual([403, 'forbidden']);
  });

  test('each administrator that an import makes is an event of its own, and a line of the log', async () => {
    const rows = [importRow({ roles: ['user', 'admin'] }), importRow(), importRow({ roles: ['admin'] })];
    const { results } = await send([...rows, ...rows, importRow({ roles: ['admin'], firstName: 'a\nb' })]);
    const { items } = (await gatehouse.api.get('/v1/audit?limit=4', { token })).body;
    const others = items.filter((item: any) => item.event !== 'user-created').map(({ event }: any) => event);
    expect(others).toEqual(['users-import-ended', 'users-import-started']);
    const { caller, requestId } = items[0];
    const event = { event: 'user-created', caller, requestId };
    const granted = [
      { ...event, userId: results[2].id, details: { roles: 'admin' } },
      { ...event, userId: results[0].id, details: { roles: 'user admin' } },
    ];
    const made = items.filter((item: any) => item.event === 'user-created');
    expect(made.toSorted(byRoles)).toMatchObject(granted);
    const lines = gatehouse.log.filter((line) => line['context'] === 'Audit' && line['event'] === 'user-created');
    expect(lines.slice(-2).toSorted(byRoles)).toMatchObject(granted);
  });

  test('each import is two events in the audit, however many rows it has', async () => {
    await send([importRow(), importRow(), importRow({ roles: [] })]);
    const { items } = (await gatehouse.api.get('/v1/audit?limit=2', { token })).body;
    expect(items.map(({ event }: any) => event)).toEqual(['users-import-ended', 'users-import-started']);
    expect(items[0].details).toMatchObject({ done: true, rows: 3, created: 2, refused: 1 });
  });
});
