import { beforeAll, describe, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { picture, putAvatar } from '../support/images.js';
import { admin, newPerson, registration, signInAdmin, uniqueName } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let adminToken: string;

beforeAll(async () => {
  adminToken = (await signInAdmin(gatehouse)).token;
});

const fields =
  'id userName firstName lastName email emailVerified pendingEmail roles status profile metadata subject createdAt updatedAt avatar { url sizes }';
const create = `mutation Create($user: NewUser!) { createUser(user: $user) { ${fields} } }`;
const update = `mutation ($id: ID!, $change: UserChange!) { updateUser(id: $id, change: $change) { ${fields} } }`;

/** Gives a user of a REST answer the form that GraphQL answers. */
const inGraphql = ({ status, ...rest }: any): object => ({
  ...rest,
  status: status.toUpperCase(),
});

test('a person can register, log in, read, change, refresh and log out', async () => {
  const user = registration({ email: `${uniqueName()}@example.org` });
  const created = (await ask(gatehouse, create, { variables: { user } })).data.createUser;
  expect(created).toMatchObject({ userName: user['userName'], roles: ['user'], status: 'ACTIVE', avatar: null });
  const login = await ask(
    gatehouse,
    'mutation ($name: String!, $password: String!) { login(userName: $name, password: $password) { accessToken refreshToken expiresIn tokenType sessionId } }',
    { variables: { name: user['email'], password: user['password'] } },
  );
  expect(login.headers.get('set-cookie')).toMatch(/^gatehouse_device=.*Path=\/;/);
  const { accessToken: token, refreshToken, ...pair } = login.data.login;
  expect(pair).toEqual({ expiresIn: 900, tokenType: 'Bearer', sessionId: expect.any(String) });
  const me = await ask(gatehouse, `{ me { ${fields} sessions { id isCurrent } } sessions { id } }`, { token });
  const rest = await gatehouse.api.get('/v1/users/me', { token });
  expect(me.data).toEqual({
    me: { ...inGraphql(rest.body), sessions: [{ id: pair.sessionId, isCurrent: true }] },
    sessions: [{ id: pair.sessionId }],
  });
  const changed = await ask(gatehouse, update, { token, variables: { id: 'me', change: { firstName: 'Augusta' } } });
  expect(changed.data.updateUser).toMatchObject({ firstName: 'Augusta', email: user['email'] });
  const refreshed = await ask(gatehouse, `mutation { refresh(refreshToken: "${refreshToken}") { sessionId } }`);
  expect(refreshed.data.refresh.sessionId).toBe(pair.sessionId);
  expect((await ask(gatehouse, 'mutation { logout }', { token })).data).toEqual({ logout: true });
  expect((await ask(gatehouse, '{ me { id } }', { token })).code).toBe('invalid-token');
});

test('a change clears a field that is null and leaves a field that is absent', async () => {
  const person = await newPerson(gatehouse, { email: `${uniqueName()}@example.org` });
  const patch = async (change: object) =>
    (await ask(gatehouse, update, { token: person.token, variables: { id: person.id, change } })).data.updateUser;
  expect((await patch({ lastName: 'King' })).email).not.toBeNull();
  expect(await patch({ email: null })).toMatchObject({ email: null, lastName: 'King' });
});

test('when an administrator deactivates a user, their tokens stop working', async () => {
  const person = await newPerson(gatehouse);
  const set = (verb: string) =>
    ask(gatehouse, `mutation { ${verb}User(id: "${person.id}") { status } }`, { token: adminToken });
  expect((await set('deactivate')).data).toEqual({ deactivateUser: { status: 'DEACTIVATED' } });
  expect((await ask(gatehouse, '{ me { id } }', { token: person.token })).code).toBe('invalid-token');
  expect((await set('activate')).data).toEqual({ activateUser: { status: 'ACTIVE' } });
});

test('after a change of password one logs in with the new one, and the session that changed it lives on', async () => {
  const person = await newPerson(gatehouse);
  const query = `mutation ($change: PasswordChangeInput!) { changePassword(id: "me", change: $change) { sessionId } }`;
  const change = { currentPassword: person.password, password: 'eight brown bottles' };
  expect((await ask(gatehouse, query, { token: person.token, variables: { change } })).data).toEqual({
    changePassword: { sessionId: person.sessionId },
  });
  const login = `mutation { login(userName: "${person.userName}", password: "eight brown bottles") { sessionId } }`;
  expect((await ask(gatehouse, login)).data.login.sessionId).not.toBe(person.sessionId);
});

test('mutations run in order, and a refused one does not stop those after it', async () => {
  const person = await newPerson(gatehouse);
  const query = `mutation { a: updateUser(id: "me", change: { firstName: "One" }) { firstName }
    b: updateUser(id: "me", change: { status: DEACTIVATED }) { firstName }
    c: updateUser(id: "me", change: { lastName: "Three" }) { firstName lastName } }`;
  const { data, errors, status } = await ask(gatehouse, query, { token: person.token });
  expect([status, data]).toEqual([
    200,
    { a: { firstName: 'One' }, b: null, c: { firstName: 'One', lastName: 'Three' } },
  ]);
  expect(errors).toMatchObject([{ path: ['b'], extensions: { code: 'forbidden' } }]);
});

test('an avatar gives the address of each of its sizes, and refuses another size', async () => {
  const { token } = await newPerson(gatehouse);
  await putAvatar(gatehouse, 'me', await picture().png().toBuffer(), { token });
  const rest = (await gatehouse.api.get('/v1/users/me', { token })).body.avatar;
  const { data } = await ask(gatehouse, '{ me { avatar { sizes url small: url(size: 64) } } }', { token });
  expect(data.me.avatar).toEqual({ ...rest, small: rest.url.replace('-256.', '-64.') });
  const { data: nothing, errors } = await ask(gatehouse, '{ me { avatar { url(size: 100) } } }', { token });
  expect(nothing).toEqual({ me: { avatar: null } });
  expect(errors[0].extensions).toMatchObject({ code: 'invalid-request', errors: [{ path: 'size' }] });
});

describe('errors', () => {
  test('are the problem of REST: its detail is the message, its other members are the extensions', async () => {
    const user = registration({ userName: 'a b', email: 'no' });
    const rest = await gatehouse.api.post('/v1/users', { body: user, headers: { 'x-request-id': 'same' } });
    const { errors } = await ask(gatehouse, create, { variables: { user }, headers: { 'x-request-id': 'same' } });
    const { detail, ...extensions } = rest.body;
    expect(errors).toEqual([
      {
        message: detail,
        locations: [{ line: 1, column: 36 }],
        path: ['createUser'],
        extensions: { ...extensions, instance: '/graphql' },
      },
    ]);
  });

  test.for([
    ['{ me { id ', 400, 'malformed-query'],
    ['', 400, 'bad-request'],
    ['{ nix }', 400, 'invalid-query'],
    ['query A { __typename } query B { __typename }', 400, 'invalid-query'],
    ['query ($first: Int!) { users(first: $first) { nodes { id } } }', 400, 'invalid-request'],
    ['{ user { id } }', 200, 'invalid-request'],
    ['{ me { id } }', 200, 'authentication-required'],
  ] as const)('%s', async ([query, status, code]) => {
    const token = code === 'invalid-request' ? adminToken : undefined;
    const answer = await ask(gatehouse, query, { token });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(JSON.stringify(answer.errors)).not.toMatch(/stacktrace|Apollo/);
  });

  test('an avatar size that is no number is an invalid query', async () => {
    const { errors } = await ask(gatehouse, '{ me { avatar { url(size: "big") } } }', { token: adminToken });
    expect(errors[0].extensions.code).toBe('invalid-query');
  });
});

describe('lists', () => {
  const page = `query ($filter: UserFilter, $sort: UserSort, $first: Int, $after: String) {
    users(filter: $filter, sort: $sort, first: $first, after: $after) {
      edges { cursor node { userName } } nodes { userName } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }`;
  const last = uniqueName('Shared');
  let names: readonly string[];

  beforeAll(async () => {
    const created: string[] = [];
    for (let index = 0; index < 5; index++) {
      const body = registration({ lastName: last });
      await gatehouse.api.post('/v1/users', { body });
      created.push(String(body['userName']));
    }
    names = created;
  });

  const read = async (variables: Record<string, unknown>) =>
    (await ask(gatehouse, page, { token: adminToken, variables: { filter: { q: last }, ...variables } })).data.users;

  test.for(['CREATED_AT', 'CREATED_AT_DESC', 'USER_NAME', 'USER_NAME_DESC'])(
    'the pages of the sort %s give every user once, in its order',
    async (sort) => {
      const found: string[] = [];
      let after: string | undefined;
      for (let pages = 1; ; pages++) {
        const { nodes, edges, pageInfo } = await read({ sort, first: 2, after });
        expect(edges.map(({ node }: any) => node)).toEqual(nodes);
        expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0].cursor, edges.at(-1).cursor]);
        expect(pageInfo.hasPreviousPage).toBe(pages > 1);
        found.push(...nodes.map(({ userName }: any) => userName));
        if (!pageInfo.hasNextPage) break;
        after = pageInfo.endCursor;
      }
      const sorted = sort.startsWith('USER') ? names.toSorted() : names;
      expect(found).toEqual(sort.endsWith('DESC') ? sorted.toReversed() : sorted);
    },
  );

  test('a cursor continues after its user, over GraphQL and over REST', async () => {
    const { edges } = await read({ sort: 'CREATED_AT', first: 5 });
    const { nodes } = await read({ sort: 'CREATED_AT', first: 5, after: edges[1].cursor });
    expect(nodes.map(({ userName }: any) => userName)).toEqual(names.slice(2));
    const rest = await gatehouse.api.get(`/v1/users?q=${last}&sort=createdAt&cursor=${edges[1].cursor}`, {
      token: adminToken,
    });
    expect(rest.body.items.map(({ userName }: any) => userName)).toEqual(names.slice(2));
  });

  test('a cursor of another query is refused as such', async () => {
    const { edges } = await read({ sort: 'CREATED_AT', first: 1 });
    const { code } = await ask(gatehouse, page, { token: adminToken, variables: { after: edges[0].cursor } });
    expect(code).toBe('cursor-of-another-query');
  });

  test('a filter that is null counts as absent', async () => {
    const { nodes } = await read({ filter: { q: last, status: null, userName: null } });
    expect(nodes).toHaveLength(5);
  });

  test('a total counts all users that the filter lets through, not only those on the page', async () => {
    const query = `{ users(filter: { q: "${last}" }, first: 2) { totalCount totalCountIs } services { name } }`;
    const { data } = await ask(gatehouse, query, { token: adminToken });
    expect(data.users).toEqual({ totalCount: 5, totalCountIs: 'EXACT' });
  });

  test('security events come in the same pages as over REST', async () => {
    const query = `query ($after: String) { auditEvents(first: 3, after: $after, filter: { event: USER_CREATED }) {
      edges { cursor node { id event at caller details } } pageInfo { hasNextPage endCursor } } }`;
    const events = async (after?: string) =>
      (await ask(gatehouse, query, { token: adminToken, variables: { after } })).data.auditEvents;
    const first = await events();
    const second = await events(first.pageInfo.endCursor);
    const rest = await gatehouse.api.get('/v1/audit?event=user-created&limit=6', { token: adminToken });
    const ids = [...first.edges, ...second.edges].map(({ node }: any) => node.id);
    expect(ids).toEqual(rest.body.items.map(({ id }: any) => id));
    expect(first.edges[0].node).toMatchObject({
      event: 'USER_CREATED',
      caller: 'anonymous',
      details: { roles: 'user' },
    });
  });
});

async function line(requestId: string): Promise<any> {
  const find = () => gatehouse.log.find((entry) => entry['requestId'] === requestId && entry['msg'] === 'request');
  await expect.poll(find).toBeDefined();
  return find();
}

describe('the records of a request', () => {
  test('its log line names the operation, its resolvers, the caller and the error', async () => {
    const headers = { 'x-request-id': 'graph-log' };
    await ask(gatehouse, 'query Both { me { id } services { name } again: me { id } }', { token: adminToken, headers });
    expect(await line('graph-log')).toMatchObject({
      operation: 'Both',
      handler: 'LazyGraphqlRoute.answer UsersResolver.me ServicesResolver.services',
      route: '/graphql',
      caller: expect.stringMatching(/^user:/),
      status: 200,
    });
    await ask(gatehouse, '{ services { name } }', { headers: { 'x-request-id': 'graph-refused' } });
    expect(await line('graph-refused')).toMatchObject({ errorCode: 'authentication-required', caller: 'anonymous' });
  });

  test('its audit event is the same as over REST', async () => {
    const login = { userName: admin.userName, password: 'wrong' };
    const headers = { 'user-agent': 'audit-test' };
    await gatehouse.api.post('/v1/auth/login', { body: login, headers: { ...headers, 'x-request-id': 'row-rest' } });
    const mutation = `mutation { login(userName: "${login.userName}", password: "wrong") { sessionId } }`;
    await ask(gatehouse, mutation, { token: adminToken, headers: { ...headers, 'x-request-id': 'row-graph' } });
    const { body } = await gatehouse.api.get('/v1/audit?event=login-failed&limit=2', { token: adminToken });
    const [graph, rest] = body.items;
    expect(graph).toEqual({ ...rest, id: graph.id, at: graph.at, requestId: 'row-graph' });
    expect(rest.requestId).toBe('row-rest');
  });
});
