import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { ask, type GraphAnswer } from '../support/graphql.js';
import { newPerson, registration, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
});

const countNamed = async (userName: unknown): Promise<number> =>
  (await gatehouse.api.get(`/v1/users?userName=${String(userName)}`, { token: boss })).body.items.length;

describe('createUser with an Idempotency-Key', () => {
  const document = 'mutation ($user: NewUser!) { createUser(user: $user) { id userName etag createdAt } }';
  const create = (key: string, user: unknown, query = document): Promise<GraphAnswer> =>
    ask(gatehouse, query, { variables: { user }, headers: { 'idempotency-key': key } });

  test('answers a retry with the first user and says so, whatever fields it asks for', async () => {
    const [key, user] = [randomUUID(), registration()];
    const [first, again] = [await create(key, user), await create(`"${key}"`, user)];
    expect(first.data.createUser.userName).toBe(user['userName']);
    expect(again.data).toEqual(first.data);
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    const other = await create(key, user, 'mutation ($user: NewUser!) { mine: createUser(user: $user) { id } }');
    expect(other.data).toEqual({ mine: { id: first.data.createUser.id } });
  });

  test('creates one user when retries arrive at once', async () => {
    const [key, user] = [randomUUID(), registration()];
    const answers = await Promise.all(Array.from({ length: 5 }, () => create(key, user)));
    expect(new Set(answers.map(({ data }) => data.createUser?.id)).size).toBe(1);
    expect(await countNamed(user['userName'])).toBe(1);
  });

  test('refuses another user under the same key, as REST does', async () => {
    const [key, user] = [randomUUID(), registration()];
    await create(key, user);
    const { data, errors } = await create(key, { ...user, firstName: 'Other' });
    expect(data).toEqual({ createUser: null });
    expect(errors[0].extensions).toMatchObject({ code: 'idempotency-key-reused', status: 422 });
  });

  test('releases the key when the user was refused', async () => {
    const [key, user] = [randomUUID(), registration()];
    expect((await create(key, { ...user, password: 'password' })).code).toBe('password-refused');
    expect((await create(key, user)).data.createUser.userName).toBe(user['userName']);
  });

  test('refuses a malformed key', async () => {
    expect((await create('two words', registration())).code).toBe('invalid-idempotency-key');
  });

  test.each([
    'mutation ($user: NewUser!) { createUser(user: $user) { id } b: createUser(user: $user) { id } }',
    'mutation ($user: NewUser!) { createUser(user: $user) { id } ...M } fragment M on Mutation { ... { c: createUser(user: $user) { id } } }',
  ])('refuses an operation with two `createUser` and creates no user: %s', async (query) => {
    const user = registration();
    const { status, data, errors } = await create(randomUUID(), user, query);
    expect([status, data]).toEqual([400, undefined]);
    expect(errors[0].extensions).toMatchObject({ code: 'invalid-idempotency-key', status: 400 });
    expect(errors[0].message).toContain('this one has 2');
    expect(await countNamed(user['userName'])).toBe(0);
  });
});

describe('ifMatch', () => {
  const update = `mutation ($id: ID!, $change: UserChange!, $match: String) {
    updateUser(id: $id, change: $change, ifMatch: $match) { firstName etag } }`;

  test('accepts the etag that was read, which is the same over REST', async () => {
    const { id, token } = await newPerson(gatehouse);
    const rest = await gatehouse.api.get('/v1/users/me', { token });
    const { data } = await ask(gatehouse, `{ me { etag } user(id: "${id}") { etag } }`, { token });
    expect(data).toEqual({ me: { etag: rest.headers.get('etag') }, user: { etag: rest.headers.get('etag') } });
    const change = { firstName: 'Grace' };
    const changed = await ask(gatehouse, update, { token, variables: { id, change, match: data.me.etag } });
    expect(changed.data.updateUser).toEqual({ firstName: 'Grace', etag: expect.not.stringMatching(data.me.etag) });
    const listed = await ask(
      gatehouse,
      `{ users(filter: { userName: "x" }) { nodes { id } } users2: users { nodes { id etag } } }`,
      { token: boss },
    );
    expect(listed.data.users2.nodes).toContainEqual({ id, etag: changed.data.updateUser.etag });
  });

  test.each(['"999"', '999', 'W/"1"', ''])('refuses %j as REST does, and changes nothing', async (match) => {
    const { id, token } = await newPerson(gatehouse);
    const change = { firstName: 'Never' };
    const { data, errors } = await ask(gatehouse, update, { token, variables: { id, change, match } });
    const rest = await gatehouse.api.patch('/v1/users/me', { token, body: change, headers: { 'if-match': '"999"' } });
    expect(data).toEqual({ updateUser: null });
    const { detail, instance: _, requestId: __, ...problem } = rest.body;
    expect(errors[0].extensions).toMatchObject(problem);
    expect([errors[0].message, problem.code, problem.status]).toEqual([detail, 'precondition-failed', 412]);
    const erased = await ask(gatehouse, `mutation ($m: String) { deleteUser(id: "me", ifMatch: $m) }`, {
      token,
      variables: { m: match },
    });
    expect(erased.code).toBe('precondition-failed');
    expect((await gatehouse.api.get('/v1/users/me', { token })).body.firstName).not.toBe('Never');
  });

  test('checks nothing when it is null or absent', async () => {
    const { id, token } = await newPerson(gatehouse);
    for (const variables of [{ match: null }, {}]) {
      const change = { firstName: 'Any' };
      expect((await ask(gatehouse, update, { token, variables: { id, change, ...variables } })).errors).toBeUndefined();
    }
  });
});
