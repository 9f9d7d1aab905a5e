import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { KeyRotationService } from '#libs/auth';

import { feedPath, toldOf, walkFeed } from '../support/feed.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { claimsOf, newHolder, newRole } from '../support/roles.js';
import { newService, type Service, tokenOf } from '../support/services.js';
import { nowSeconds } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { importUsers } from '../support/imports.js';
import { movedUser, password } from '../support/subjects.js';

const gatehouse = useGatehouse({ own: true });
let bossToken: string;
let person: Person;
let reader: Service;
let other: Service;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  person = await newPerson(gatehouse);
  reader = await newService(gatehouse, { token: bossToken, scopes: ['revocations:read'] });
  other = await newService(gatehouse, { token: bossToken, scopes: ['users:read', 'tokens:introspect'] });
});

const read = (query: Parameters<typeof feedPath>[0] = {}, headers = {}) =>
  gatehouse.api.get(feedPath(query), { headers: { ...reader.headers, ...headers } });
const execute = (text: string, values: unknown[] = []): Promise<unknown> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(text, values);

/** Entries of a token, as many as are asked for. */
async function putEntries(count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await execute(
    `insert into revocations (kind, subject, cause, expires_at)
      select 'token', id, 'logout', now() + interval '10 minutes' from unnest(?::uuid[]) as id`,
    [`{${ids.join()}}`],
  );
  return ids;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const epoch = async (): Promise<string> => (await read()).body.epoch;

/** `fetch` unpacks by itself, so this asks by hand. */
const readRaw = async (accepted?: string): Promise<{ coding: string | null; vary: string | null; body: Buffer }> => {
  return new Promise((resolve, reject) => {
    const headers = { ...reader.headers, ...(accepted !== undefined && { 'accept-encoding': accepted }) };
    request(`${gatehouse.url}${feedPath({ limit: 10_000 })}`, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const { 'content-encoding': coding = null, vary = null } = response.headers;
        resolve({ coding, vary, body: Buffer.concat(parts) });
      });
    })
      .on('error', reject)
      .end();
  });
};

describe('who may read the feed', () => {
  test.for<[string, number, () => object | Promise<object>]>([
    ['nobody', 401, () => ({})],
    ['a user', 403, () => ({ token: person.token })],
    ['an administrator', 403, () => ({ token: bossToken })],
    ['a service without the scope', 403, () => ({ headers: other.headers })],
    ['a service with it', 200, () => ({ headers: reader.headers })],
    ['a service with it that acts for a user', 403, () => ({ headers: reader.headers, token: person.token })],
    ['a token of a service with it', 200, async () => ({ token: await tokenOf(gatehouse, reader) })],
    ['a token of a service without it', 403, async () => ({ token: await tokenOf(gatehouse, other) })],
    ['a wrong key', 401, () => ({ headers: { 'x-service-key': `${reader.name}.${other.secret}` } })],
  ])('%s: %i', async ([, status, make]) => {
    const answer = await gatehouse.api.get('/v1/auth/revocations', await make());
    expect(answer.status, answer.text).toBe(status);
  });
});

describe('an entry says what is ended in the words of the token', () => {
  const end = {
    token: async () => {
      const { token } = await newPerson(gatehouse);
      await gatehouse.api.post('/v1/auth/revoke', {
        body: new URLSearchParams({ token }),
        headers: (await newService(gatehouse, { token: bossToken, scopes: ['tokens:revoke'] })).headers,
      });
      return { subject: claimsOf(token).jti, below: null, cause: 'token-revoked' };
    },
    session: async () => {
      const { token, sessionId } = await newPerson(gatehouse);
      await gatehouse.api.post('/v1/auth/logout', { token });
      return { subject: sessionId, below: null, cause: 'logout' };
    },
    user: async () => {
      const { id, token } = await newPerson(gatehouse);
      await gatehouse.api.patch(`/v1/users/${id}`, { token: bossToken, body: { status: 'deactivated' } });
      return { subject: id, below: (claimsOf(token).gen ?? 0) + 1, cause: 'user-deactivated' };
    },
    'user who came with a subject': async () => {
      const { row, sub } = movedUser('Auth0');
      await importUsers(gatehouse, [row], { token: bossToken });
      const { token } = await signIn(gatehouse, { userName: String(row['userName']), password });
      await gatehouse.api.post('/v1/auth/logout-all', { token });
      return { subject: sub, below: (claimsOf(token).gen ?? 0) + 1 };
    },
    service: async () => {
      const { name } = await newService(gatehouse, { token: bossToken, scopes: [] });
      await gatehouse.api.patch(`/v1/services/${name}`, { token: bossToken, body: { status: 'deactivated' } });
      return { subject: name, below: 1, cause: 'service-deactivated' };
    },
    role: async () => {
      const name = await newRole(gatehouse, { permissions: ['orders:read'] });
      const { token } = await newHolder(gatehouse, name);
      await gatehouse.api.patch(`/v1/roles/${name}`, { token: bossToken, body: { permissions: [] } });
      return { subject: name, below: (claimsOf(token).role_gen ?? 0) + 1, cause: 'role-changed' };
    },
    key: async () => {
      const rotation = gatehouse.app.get(KeyRotationService);
      const kid = await rotation.rotate('published-ahead', 'operator');
      await rotation.retire(kid, 'operator');
      return { subject: kid, below: null, cause: 'key-retired' };
    },
  };

  test.each(Object.entries(end))('of a %s', async (name, make) => {
    const { cursor } = await walkFeed(gatehouse, reader);
    const expected = await make();
    const kind = name.split(' ')[0];
    const [all, since] = [await walkFeed(gatehouse, reader), await walkFeed(gatehouse, reader, { cursor })];
    for (const walk of [all, since]) {
      // of a role there is one for its making too
      const entry = toldOf(walk, expected.subject).at(-1);
      expect(entry).toMatchObject({ kind, ...expected });
      expect(Object.keys(entry ?? {})).toEqual(['kind', 'subject', 'below', 'cause', 'expiresAt']);
    }
  });

  test('it is kept for 120 s after the last token that it can end', async () => {
    const { token, sessionId } = await newPerson(gatehouse);
    await gatehouse.api.post('/v1/auth/logout', { token });
    const [entry] = toldOf(await walkFeed(gatehouse, reader), sessionId);
    const beyond = Date.parse(entry?.expiresAt ?? '') / 1_000 - claimsOf(token).exp;
    expect(beyond).toBeGreaterThanOrEqual(120);
    // it is dated when the session ends, not when the token was issued
    expect(beyond).toBeLessThanOrEqual(120 + nowSeconds() - claimsOf(token).iat + 1);
  });

  test('it leaves when it has expired', async () => {
    const [id = ''] = await putEntries(1);
    const { cursor } = await walkFeed(gatehouse, reader, { limit: 777 });
    await execute(`update revocations set expires_at = now() - interval '1 second' where subject = ?`, [id]);
    expect(toldOf(await walkFeed(gatehouse, reader, { limit: 778 }), id)).toEqual([]);
    expect(toldOf(await walkFeed(gatehouse, reader, { cursor }), id)).toEqual([]);
  });
});

describe('a walk', () => {
  test('of many pages tells all that is live, whatever their size', async () => {
    const ids = await putEntries(25);
    for (const limit of [1, 7, 10_000]) {
      const { items } = await walkFeed(gatehouse, reader, { limit });
      const told = new Set(items.map(({ subject }) => subject));
      expect(ids.filter((id) => !told.has(id))).toEqual([]);
    }
  });

  test('from a cursor has at most `limit` entries a page, and ends', async () => {
    const { cursor } = await walkFeed(gatehouse, reader);
    const ids = await putEntries(20);
    const walk = await walkFeed(gatehouse, reader, { cursor, limit: 3 });
    // others may hold the horizon: more, never less
    expect(walk.items.map(({ subject }) => subject)).toEqual(expect.arrayContaining([...ids]));
    expect(walk.pages.slice(0, -1).every((size) => size === 3)).toBe(true);
    expect(walk.pages.length).toBeGreaterThanOrEqual(7);
  });

  test('that began a moment ago, and is shared, knows at its end what was committed before it was asked for', async () => {
    await walkFeed(gatehouse, reader);
    const ids = await putEntries(3);
    const told = (await walkFeed(gatehouse, reader)).items.map(({ subject }) => subject);
    expect(told).toEqual(expect.arrayContaining([...ids]));
  });

  test('that others commit into misses nothing from its cursor on', async () => {
    await putEntries(30);
    const first = await read({ limit: 5 });
    const before = await putEntries(4);
    let { nextPage } = first.body;
    const subjects: string[] = first.body.items.map(({ subject }: { subject: string }) => subject);
    const during: string[] = [];
    while (nextPage !== null) {
      during.push(...(await putEntries(1)));
      const { body } = await read({ page: nextPage, limit: 100 });
      subjects.push(...body.items.map(({ subject }: { subject: string }) => subject));
      expect(body.cursor).toBe(first.body.cursor);
      nextPage = body.nextPage;
    }
    const then = await walkFeed(gatehouse, reader, { cursor: first.body.cursor });
    const known = new Set([...subjects, ...then.items.map(({ subject }) => subject)]);
    expect([...before, ...during].filter((id) => !known.has(id))).toEqual([]);
  });
});

describe('what is asked wrongly', () => {
  test.for<[string, number, string, () => Promise<Record<string, string>>]>([
    ['a page with a cursor', 400, 'invalid-request', async () => ({ cursor: 'a', page: 'b' })],
    ['limit 0', 400, 'invalid-request', async () => ({ limit: '0' })],
    ['limit 10,001', 400, 'invalid-request', async () => ({ limit: '10001' })],
    ['limit -1', 400, 'invalid-request', async () => ({ limit: '-1' })],
    ['limit 1e3', 400, 'invalid-request', async () => ({ limit: '1e3' })],
    ['a parameter that there is not', 400, 'invalid-request', async () => ({ since: '1' })],
    ['an empty cursor', 400, 'invalid-request', async () => ({ cursor: '' })],
    ['a cursor of 257 characters', 400, 'invalid-request', async () => ({ cursor: 'a'.repeat(257) })],
    ['a cursor in another alphabet', 400, 'invalid-request', async () => ({ cursor: 'ключ' })],
    ['a cursor that is garbage', 400, 'invalid-cursor', async () => ({ cursor: 'garbage' })],
    ['a page that is garbage', 400, 'invalid-cursor', async () => ({ page: 'garbage' })],
    ['a page as a cursor', 400, 'invalid-cursor', async () => ({ cursor: (await read({ limit: 1 })).body.nextPage })],
    ['a cursor as a page', 400, 'invalid-cursor', async () => ({ page: (await read()).body.cursor })],
    ['a cursor that is no list', 400, 'invalid-cursor', async () => ({ cursor: encoded({ a: 1 }) })],
    ['a horizon below 0', 400, 'invalid-cursor', async () => ({ cursor: encoded([await epoch(), '-1']) })],
    [
      'an id beyond what the database counts',
      400,
      'invalid-cursor',
      async () => ({ page: encoded([await epoch(), '3', '3', `${2n ** 63n}`]) }),
    ],
    [
      'a transaction beyond what the database counts',
      400,
      'invalid-cursor',
      async () => ({ page: encoded([await epoch(), '3', `${2n ** 64n}`, '0']) }),
    ],
    ['a cursor of another epoch', 409, 'feed-reset', async () => ({ cursor: encoded(['A'.repeat(22), '3']) })],
    ['a page of another epoch', 409, 'feed-reset', async () => ({ page: encoded(['A'.repeat(22), '3', '3', '0']) })],
    ['a cursor of the future', 409, 'feed-reset', async () => ({ cursor: encoded([await epoch(), `${2n ** 63n}`]) })],
  ])('%s: %i %s', async ([, status, code, make]) => {
    const answer = await read(await make());
    expect([answer.status, answer.body.code], answer.text).toEqual([status, code]);
  });

  test('a parameter twice', async () => {
    const answer = await gatehouse.api.get('/v1/auth/revocations?limit=1&limit=2', { headers: reader.headers });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });
});

describe('compression', () => {
  beforeAll(() => putEntries(40));

  test.each([
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip'],
    ['*', 'gzip'],
    ['x-gzip', 'gzip'],
    [undefined, null],
    ['', null],
    ['identity', null],
    ['br', null],
    ['gzip;q=0', null],
    ['gzip; q=0.000, *', null],
    ['*;q=0', null],
    ['gzip;q=many', null],
  ])('%s: %s', async (accepted, coding) => {
    const answer = await readRaw(accepted);
    expect(answer).toMatchObject({ coding, vary: 'Accept-Encoding' });
    const text = coding === null ? answer.body : gunzipSync(answer.body);
    expect(JSON.parse(text.toString('utf8')).items).not.toEqual([]);
  });
});
