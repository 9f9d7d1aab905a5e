import { beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { exampleSchemas, schemaFiles } from '../support/schema-files.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: schemaFiles(exampleSchemas) });
let boss: string;
let writer: Service;
let reader: Service;
let person: Person;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
  writer = await newService(gatehouse, { token: boss, scopes: ['users:write'] });
  reader = await newService(gatehouse, { token: boss, scopes: ['users:read'] });
});
beforeEach(async () => {
  person = await newPerson(gatehouse, { profile: { department: 'sales', address: { city: 'Graz', zip: '8010' } } });
});

const create = (fields: object, caller: { token?: string; headers?: Record<string, string> } = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/users', { body: registration({ ...fields }), ...caller });
const patch = (body: object, caller: { token?: string; headers?: Record<string, string> }, id = person.id) =>
  gatehouse.api.patch(`/v1/users/${id}`, { body, ...caller });
const self = () => ({ token: person.token });
const read = async (id = person.id): Promise<any> => (await gatehouse.api.get(`/v1/users/${id}`, { token: boss })).body;
const rows = (text: string, values: readonly unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);
function formOf(profile: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(registration({ profile }))) form.set(name, String(value));
  return form;
}

const register = (profile: string) => gatehouse.api.post('/v1/users', { body: formOf(profile) });
const paths = ({ body }: Answer): string[] => body.errors.map(({ path }: { path: string }) => path);

describe('reading', () => {
  test('every view of a user has both objects and the subject, empty objects and the id by default', async () => {
    const plain = await newPerson(gatehouse);
    const expected = { subject: plain.id, profile: {}, metadata: {} };
    expect((await gatehouse.api.get('/v1/users/me', { token: plain.token })).body).toMatchObject(expected);
    expect(await read(plain.id)).toMatchObject(expected);
    const byName = await gatehouse.api.get(`/v1/users/by-user-name/${plain.userName}`, reader);
    expect(byName.body).toMatchObject(expected);
    const list = await gatehouse.api.get(`/v1/users?userName=${plain.userName}`, { token: boss });
    expect(list.body.items).toEqual([expect.objectContaining(expected)]);
    const { data } = await ask(gatehouse, '{ me { subject profile metadata } }', { token: plain.token });
    expect(data.me).toEqual(expected);
    const exported = await gatehouse.api.get('/v1/users/me/export', { token: plain.token });
    expect(exported.body.user).toMatchObject(expected);
  });

  test('an imported subject is told, and what was written comes back as it was', async () => {
    await rows(`update users set subject = 'legacy|7', metadata = '{"orgId":"o1"}' where id = $1`, [person.id]);
    const expected = {
      subject: 'legacy|7',
      profile: { department: 'sales', address: { city: 'Graz', zip: '8010' } },
      metadata: { orgId: 'o1' },
    };
    const mine = await gatehouse.api.get('/v1/users/me', self());
    expect(mine.body).toMatchObject(expected);
    expect((await patch({ firstName: 'Eve' }, self())).body).toMatchObject(expected);
    const { data } = await ask(gatehouse, '{ me { subject profile metadata } }', self());
    expect(data.me).toEqual(expected);
    expect((await gatehouse.api.get('/v1/users/me/export', self())).body.user).toMatchObject(expected);
  });
});

describe('a new user', () => {
  test('may bring a profile, and no metadata', async () => {
    expect((await create({ profile: { level: 3 } })).body).toMatchObject({ profile: { level: 3 }, metadata: {} });
    const refused = await create({ metadata: { orgId: 'o1' } });
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect((await create({ metadata: { orgId: 'o1' } }, reader)).status).toBe(403);
  });

  test('gets metadata from an administrator, or from a service with users:write', async () => {
    for (const caller of [{ token: boss }, { headers: writer.headers }]) {
      const { status, body } = await create({ metadata: { orgId: 'o1', any: [1, { thing: null }] } }, caller);
      expect([status, body.metadata]).toEqual([201, { orgId: 'o1', any: [1, { thing: null }] }]);
    }
  });

  test.for<[fields: object, ...paths: string[]]>([
    [{ profile: { department: 1 } }, 'profile.department'],
    [{ profile: { other: 1, level: -1 } }, 'profile.other', 'profile.level'],
    [{ profile: { address: { zip: 8010 } }, metadata: {} }, 'profile.address.zip', 'metadata.orgId'],
    [{ profile: null }, 'profile'],
    [{ profile: [] }, 'profile'],
    [{ profile: 'text' }, 'profile'],
    [{ profile: { nickName: null } }, 'profile.nickName'],
  ])('with %j is refused, and told where the faults are', async ([fields, ...expected]) => {
    const answer = await create(fields, { token: boss });
    expect([answer.status, answer.body.code, paths(answer).toSorted()]).toEqual([
      400,
      'invalid-request',
      expected.toSorted(),
    ]);
  });

  test('has what is missing from an absent object held against nobody', async () => {
    // `orgId` is required in metadata that are written
    expect((await create({}, { token: boss })).status).toBe(201);
  });

  test('may come as a form, with the profile as JSON', async () => {
    expect((await register('{"department":"Süd"}')).body.profile).toEqual({ department: 'Süd' });
    expect((await register(' ')).body.profile).toEqual({});
    expect((await register('{"department":')).body.code).toBe('malformed-json');
    expect(paths(await register('{"department":1}'))).toEqual(['profile.department']);
    expect(paths(await register('[]'))).toEqual(['profile']);
  });
});

describe('a change', () => {
  test('is merged at any depth, and null takes a member away', async () => {
    const { body } = await patch({ profile: { level: 2, address: { zip: null, city: 'Wien' } } }, self());
    expect(body.profile).toEqual({ department: 'sales', level: 2, address: { city: 'Wien' } });
    expect((await patch({ profile: { address: null } }, self())).body.profile).toEqual({
      department: 'sales',
      level: 2,
    });
    expect((await patch({ profile: null }, self())).body.profile).toEqual({});
    expect((await read()).profile).toEqual({});
  });

  test('of the profile is for the user and administrators, of the metadata for administrators and services', async () => {
    const other = await newPerson(gatehouse);
    const [profile, metadata] = [{ profile: { level: 1 } }, { metadata: { orgId: 'o1' } }];
    expect((await patch(profile, self())).status).toBe(200);
    expect((await patch(profile, { token: boss })).status).toBe(200);
    expect((await patch(metadata, { token: boss })).status).toBe(200);
    expect((await patch({ metadata: { orgId: 'o2' } }, writer)).body.metadata).toEqual({ orgId: 'o2' });
    for (const [body, caller] of [
      [metadata, self()],
      [{ metadata: null }, self()],
      [profile, { token: other.token }],
      [metadata, { token: other.token }],
      [metadata, reader],
      [profile, writer],
      [{ ...metadata, ...profile }, writer],
      [{ ...metadata, firstName: 'Eve' }, writer],
      [{ roles: ['admin'] }, writer],
    ] as const) {
      const { status, body: problem } = await patch(body, caller);
      expect([status, problem.code], JSON.stringify(body)).toEqual([403, 'forbidden']);
    }
    expect((await patch(metadata, writer, 'me')).status).toBe(403);
    expect((await read()).metadata).toEqual({ orgId: 'o2' });
  });

  test('by a service of a user who does not exist is 404', async () => {
    const { status, body } = await patch({ metadata: { orgId: 'o' } }, writer, '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e');
    expect([status, body.code]).toEqual([404, 'user-not-found']);
  });

  test('heeds If-Match', async () => {
    const { headers } = await gatehouse.api.get('/v1/users/me', self());
    const match = { 'if-match': headers.get('etag') ?? '' };
    expect((await patch({ profile: { level: 1 } }, { ...self(), headers: match })).status).toBe(200);
    expect((await patch({ profile: { level: 2 } }, { ...self(), headers: match })).status).toBe(412);
  });

  test('is held against the schema as a whole object, and what was there misfits only when it is written', async () => {
    await rows(`update users set profile = '{"old":1}', metadata = '{"notes":1}' where id = $1`, [person.id]);
    expect((await patch({ firstName: 'Eve' }, self())).status).toBe(200);
    // nothing is written here
    expect((await patch({ profile: { missing: null, old: 1 } }, self())).status).toBe(200);
    expect(paths(await patch({ profile: { level: 1 } }, self()))).toEqual(['profile.old']);
    expect((await patch({ profile: { level: 1, old: null } }, self())).body.profile).toEqual({ level: 1 });
    expect(paths(await patch({ metadata: { more: true } }, writer))).toEqual(['metadata.orgId', 'metadata.notes']);
  });

  test('is audited by the names of the fields, and unchanged objects are not', async () => {
    await patch({ profile: { department: 'sales' }, firstName: 'Eve' }, self());
    await patch({ profile: { department: 'secret place' } }, self());
    await patch({ metadata: { orgId: 'secret org' } }, writer);
    const found = await rows("select * from audit_events where user_id = $1 and event = 'user-changed' order by id", [
      person.id,
    ]);
    expect(found.map(({ details }) => details.fields)).toEqual([['firstName'], ['profile'], ['metadata']]);
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  test('by a token that a service brings is one of the user, who may not write metadata', async () => {
    const { status } = await patch({ metadata: { orgId: 'o' } }, { ...self(), headers: writer.headers });
    expect(status).toBe(403);
  });
});

describe('in GraphQL', () => {
  const change =
    'mutation ($id: ID!, $change: UserChange!) { updateUser(id: $id, change: $change) { profile metadata } }';

  test('both are written as over REST, by variables and by literals', async () => {
    const variables = { id: person.id, change: { profile: { level: 4, address: { zip: null } } } };
    const { data } = await ask(gatehouse, change, { ...self(), variables });
    expect(data.updateUser.profile).toEqual({ department: 'sales', level: 4, address: { city: 'Graz' } });
    const literal = `mutation { updateUser(id: "me", change: { profile: { address: { city: "Linz" }, score: 1.5, remote: true } }) { profile } }`;
    expect((await ask(gatehouse, literal, self())).data.updateUser.profile).toEqual({
      department: 'sales',
      level: 4,
      score: 1.5,
      remote: true,
      address: { city: 'Linz' },
    });
    // the same once more changes nothing
    const { version } = (await rows('select version from users where id = $1', [person.id]))[0];
    await ask(gatehouse, literal, self());
    expect(await rows('select version from users where id = $1', [person.id])).toEqual([{ version }]);
  });

  test('a service may write metadata, and nothing else', async () => {
    const headers = writer.headers;
    const metadata = { id: person.id, change: { metadata: { orgId: 'o7' } } };
    expect((await ask(gatehouse, change, { headers, variables: metadata })).data.updateUser.metadata).toEqual({
      orgId: 'o7',
    });
    const name = { id: person.id, change: { firstName: 'Eve' } };
    expect((await ask(gatehouse, change, { headers, variables: name })).code).toBe('forbidden');
    expect((await ask(gatehouse, change, { ...self(), variables: metadata })).code).toBe('forbidden');
  });

  test('a new user brings a profile', async () => {
    const query = 'mutation ($user: NewUser!) { createUser(user: $user) { profile metadata } }';
    const user = registration({ profile: { level: 1 } });
    expect((await ask(gatehouse, query, { variables: { user } })).data.createUser.profile).toEqual({ level: 1 });
    const refused = { user: registration({ metadata: { orgId: 'o' } }) };
    expect((await ask(gatehouse, query, { variables: refused })).code).toBe('forbidden');
  });

  test.for([
    '{ a: 1e999 }',
    '{ __proto__: { a: 1 } }',
    String.raw`{ a: "\u0000" }`,
    String.raw`{ a: "\uD800" }`,
    '[1]',
    '"text"',
  ])('the literal %s is refused', async (literal) => {
    const query = `mutation { updateUser(id: "me", change: { profile: ${literal} }) { profile } }`;
    const { data, code } = await ask(gatehouse, query, self());
    expect(data?.updateUser ?? null).toBeNull();
    expect(['invalid-request', 'invalid-encoding', 'graphql-parse-failed', 'malformed-query']).toContain(code);
  });
});
