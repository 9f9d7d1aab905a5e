import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { Sql, Sweeper } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { accept, invite, newAddress, newInvitation, tokenOf } from '../support/invitations.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { newRole, permissionNames } from '../support/roles.js';
import { newService, type Service } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: string;
let reader: Service;
let writer: Service;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
  reader = await newService(gatehouse, { token: boss, scopes: ['users:read'] });
  writer = await newService(gatehouse, { token: boss, scopes: ['users:write'] });
});

const outcome = ({ status, body }: Answer): unknown[] => [status, body.code];
const sql = (text: string, values: readonly unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);
const week = 7 * 86_400_000;

describe('an invitation', () => {
  test('has what was said, and a link that is good for 7 days', async () => {
    const email = newAddress();
    const fields = { email, roles: ['user', 'admin'], firstName: ' Grace ', lastName: 'Hopper' };
    const made = await invite(gatehouse, boss, fields);
    expect(made.status, made.text).toBe(201);
    const { id, url, createdAt, expiresAt, ...rest } = made.body;
    expect(rest).toEqual({ ...fields, firstName: 'Grace' });
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(week);
    expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
    expect(made.headers.get('location')).toBe(`/v1/invitations/${id}`);
    expect(url).toMatch(/^http:\/\/gatehouse\.test\/account\/invitation#[0-9a-f]{40}$/);
    const { body } = await gatehouse.api.get(`/v1/invitations/${id}`, { token: boss });
    expect(body).toEqual({ id, ...rest, createdAt, expiresAt });
  });

  test('is of a plain user without names unless something else is said', async () => {
    const { body } = await invite(gatehouse, boss);
    expect([body.roles, body.firstName, body.lastName]).toEqual([['user'], null, null]);
  });

  test('has a link that nothing on its way mangles', async () => {
    const { url } = await newInvitation(gatehouse, boss);
    expect(url).toMatch(/^[A-Za-z\d/#.:-]{1,120}$/);
  });

  test.each<[string, object, string, string]>([
    ['no address', { email: undefined }, 'email', 'required'],
    ['a malformed address', { email: 'nobody' }, 'email', 'invalid-format'],
    ['an empty name', { firstName: ' ' }, 'firstName', 'too-small'],
    ['no roles at all', { roles: [] }, 'roles', 'too-small'],
    ['a user name', { userName: 'grace' }, 'userName', 'unknown-field'],
  ])('with %s is refused', async (_, fields, path, code) => {
    const refused = await invite(gatehouse, boss, { ...fields });
    expect(outcome(refused)).toEqual([400, 'invalid-request']);
    expect(refused.body.errors).toMatchObject([{ path, code }]);
  });

  test('to the address of a user is refused, in any spelling', async () => {
    const email = newAddress();
    await newPerson(gatehouse, { email });
    expect(outcome(await invite(gatehouse, boss, { email: email.toUpperCase() }))).toEqual([409, 'email-taken']);
  });

  test('with roles that nobody can be given is refused, and none is kept', async () => {
    const [left, right] = [
      await newRole(gatehouse, { token: boss, permissions: permissionNames(150) }),
      await newRole(gatehouse, { token: boss, permissions: permissionNames(150, 'deliveries') }),
    ];
    const email = newAddress();
    const tooMany = await invite(gatehouse, boss, { email, roles: [left, right] });
    expect(outcome(tooMany)).toEqual([422, 'permissions-too-large']);
    const unknown = await invite(gatehouse, boss, { email, roles: ['user', 'nobodys-role'] });
    expect([...outcome(unknown), unknown.body.errors[0].path]).toEqual([400, 'unknown-role', 'roles']);
    expect(await sql('select 1 from invitations where email = $1', [email])).toEqual([]);
  });

  test('may be repeated', async () => {
    const email = newAddress();
    const [first, second] = [await invite(gatehouse, boss, { email }), await invite(gatehouse, boss, { email })];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.url).not.toBe(second.body.url);
  });
});

describe('who may invite', () => {
  test('a service does, as far as it names no roles', async () => {
    expect((await invite(gatehouse, undefined, {}, writer.headers)).status).toBe(201);
    for (const roles of [['user'], ['admin'], ['nobodys-role']]) {
      const refused = await invite(gatehouse, undefined, { roles }, writer.headers);
      expect(outcome(refused), roles.join()).toEqual([403, 'forbidden']);
    }
    expect(outcome(await invite(gatehouse, undefined, {}, reader.headers))).toEqual([403, 'forbidden']);
  });

  test('a plain user does not', async () => {
    const { token } = await newPerson(gatehouse);
    const [{ id }] = (await gatehouse.api.get('/v1/invitations', { token: boss })).body.items;
    const answers = [
      await invite(gatehouse, token),
      await gatehouse.api.get('/v1/invitations', { token }),
      await gatehouse.api.get(`/v1/invitations/${id}`, { token }),
      await gatehouse.api.delete(`/v1/invitations/${id}`, { token }),
    ];
    expect(answers.map(outcome)).toEqual(answers.map(() => [403, 'forbidden']));
  });

  test('an administrator who signed in a while ago gives no roles but `user`', async () => {
    const apart = takeApart(gatehouse, boss);
    const stale = withClaims(apart, { auth_time: nowSeconds() - 601 });
    expect((await invite(gatehouse, stale)).status).toBe(201);
    expect((await invite(gatehouse, stale, { roles: ['user'] })).status).toBe(201);
    const refused = await invite(gatehouse, stale, { roles: ['user', 'admin'] });
    expect(outcome(refused)).toEqual([403, 'fresh-authentication-required']);
  });
});

describe('the list', () => {
  test('has every open invitation once, newest first, and none of their links', async () => {
    const made = [];
    for (let count = 0; count < 5; count++) made.push((await newInvitation(gatehouse, boss)).id);
    const late = await newInvitation(gatehouse, boss);
    await sql('update invitations set expires_at = now() where id = $1', [late.id]);
    const used = await newInvitation(gatehouse, boss);
    await accept(gatehouse, used.token);
    const ids: string[] = [];
    let text = '';
    for (let path: string | undefined = '/v1/invitations?limit=2'; path !== undefined;) {
      const page = await gatehouse.api.get(path, { token: boss });
      expect(page.status).toBe(200);
      ids.push(...page.body.items.map(({ id }: { id: string }) => id));
      text += page.text;
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      expect(path === undefined).toBe(page.body.nextCursor === null);
    }
    expect(ids.slice(0, 5)).toEqual(made.toReversed());
    expect(new Set(ids).size).toBe(ids.length);
    expect([ids.includes(late.id), ids.includes(used.id)]).toEqual([false, false]);
    expect(text).not.toMatch(/#|[0-9a-f]{40}|url|token/);
  });

  test('keeps its order where several are of one millisecond', async () => {
    await sql(`insert into invitations (id, email, email_key, roles, token_hash, created_at, expires_at)
      select gen_random_uuid(), n || '@many.example', n || '@many.example', '{user}', sha256(n::text::bytea),
        date_trunc('second', now()) - interval '1 day', now() + interval '1 day' from generate_series(1, 9) as n`);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await gatehouse.api.get(`/v1/invitations?limit=4${cursor}`, { token: boss });
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    const open = await sql('select id from invitations where expires_at > now()');
    expect(seen.toSorted()).toEqual(open.map(({ id }) => String(id)).toSorted());
  });

  test('is also for services that read or write users', async () => {
    for (const { headers } of [reader, writer]) {
      expect((await gatehouse.api.get('/v1/invitations?limit=1', { headers })).status).toBe(200);
    }
  });

  test.each(['made-up', Buffer.from('["abcdefgh",1,"x"]').toString('base64url')])(
    'does not take the cursor %s of nobody',
    async (cursor) => {
      const { status } = await gatehouse.api.get(`/v1/invitations?cursor=${cursor}`, { token: boss });
      expect(status).toBe(400);
    },
  );
});

describe('to withdraw', () => {
  test('an invitation ends it, for good', async () => {
    const { id } = await newInvitation(gatehouse, boss);
    const withdraw = () => gatehouse.api.delete(`/v1/invitations/${id}`, { headers: writer.headers });
    expect((await withdraw()).status).toBe(204);
    expect(outcome(await withdraw())).toEqual([404, 'invitation-not-found']);
    const read = await gatehouse.api.get(`/v1/invitations/${id}`, { token: boss });
    expect(outcome(read)).toEqual([404, 'invitation-not-found']);
  });

  test('one that there is not, or that has expired, is refused', async () => {
    const late = await newInvitation(gatehouse, boss);
    await sql('update invitations set expires_at = now() where id = $1', [late.id]);
    for (const id of [randomUUID(), late.id]) {
      const refused = await gatehouse.api.delete(`/v1/invitations/${id}`, { token: boss });
      expect(outcome(refused)).toEqual([404, 'invitation-not-found']);
    }
    const malformed = await gatehouse.api.delete('/v1/invitations/1', { token: boss });
    expect(outcome(malformed)).toEqual([400, 'invalid-request']);
  });

  test('is for administrators and services that write users alone', async () => {
    const { id } = await newInvitation(gatehouse, boss);
    const refused = await gatehouse.api.delete(`/v1/invitations/${id}`, { headers: reader.headers });
    expect(outcome(refused)).toEqual([403, 'forbidden']);
  });
});

describe('a retry under an Idempotency-Key', () => {
  test('gets the first answer with its link, and makes no second invitation', async () => {
    const [key, email] = [randomUUID(), newAddress()];
    const send = () => invite(gatehouse, boss, { email }, { 'idempotency-key': key });
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.url)).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    expect(await sql('select 1 from invitations where email = $1', [email])).toHaveLength(1);
    expect((await accept(gatehouse, tokenOf(answers[0]?.body.url), registrationNames)).status).toBe(201);
  });

  test('with another body is refused', async () => {
    const key = { 'idempotency-key': randomUUID() };
    expect((await invite(gatehouse, boss, {}, key)).status).toBe(201);
    expect(outcome(await invite(gatehouse, boss, {}, key))).toEqual([422, 'idempotency-key-reused']);
  });
});

test('what was invited and withdrawn is audited, without the address', async () => {
  const email = newAddress();
  const { id } = await newInvitation(gatehouse, boss, { email, roles: ['user', 'admin'] });
  await gatehouse.api.delete(`/v1/invitations/${id}`, { token: boss });
  const { body, text } = await gatehouse.api.get('/v1/audit?limit=2', { token: boss });
  expect(body.items.map(({ event, details, userId }: any) => [event, details, userId])).toEqual([
    ['invitation-deleted', { invitationId: id }, null],
    ['invitation-created', { invitationId: id, roles: 'user admin' }, null],
  ]);
  expect(text).not.toContain(email);
});

test('an invitation that has expired is swept away', async () => {
  const [late, open] = [await newInvitation(gatehouse, boss), await newInvitation(gatehouse, boss)];
  await sql('update invitations set expires_at = now() where id = $1', [late.id]);
  await gatehouse.app.get(Sweeper).sweepNow();
  const kept = await sql('select id from invitations where id in ($1, $2)', [late.id, open.id]);
  expect(kept).toEqual([{ id: open.id }]);
});

const { firstName, lastName } = registration();
const registrationNames = { firstName, lastName };
