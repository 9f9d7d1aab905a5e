import { beforeAll, expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { newPerson, type Person, registration, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';

/** The people of one walk: REST and GraphQL each get their own, since both change them. */
type World = {
  readonly victim: Person;
  readonly stranger: Person;
  readonly adminToken: string;
  readonly reader: Service;
  readonly writer: Service;
  readonly idle: Service;
};
type Sent = { readonly token?: string; readonly headers?: Record<string, string> };
type Case = {
  readonly name: string;
  readonly rest: (world: World) => readonly [method: string, path: string, body?: object];
  readonly graph: (world: World) => string;
};

const callers: Readonly<Record<string, (world: World) => Sent>> = {
  nobody: () => ({}),
  'a bad token': () => ({ token: 'garbage' }),
  'a bad key': () => ({ headers: { 'x-service-key': 'nobody.secret' } }),
  'an idle service': ({ idle }) => ({ headers: idle.headers }),
  'a service that reads users': ({ reader }) => ({ headers: reader.headers }),
  'a service that writes users': ({ writer }) => ({ headers: writer.headers }),
  'a stranger': ({ stranger }) => ({ token: stranger.token }),
  'a stranger through a service': ({ stranger, reader }) => ({ token: stranger.token, headers: reader.headers }),
  'the user': ({ victim }) => ({ token: victim.token }),
  'an administrator': ({ adminToken }) => ({ token: adminToken }),
};

const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
const madeUp = '0'.repeat(40);
const inGraph = (value: object): string => JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1: ');
const asNames = (text: string): string =>
  text.replaceAll(/"(user|admin|active|deactivated)"/g, (_, name: string) => name.toUpperCase());

const change = (name: string, patch: object): Case => ({
  name,
  rest: ({ victim }) => ['PATCH', `/v1/users/${victim.id}`, patch],
  graph: ({ victim }) => `mutation { updateUser(id: "${victim.id}", change: ${asNames(inGraph(patch))}) { id } }`,
});
const read = (name: string, path: string, graph: string): Case => ({
  name,
  rest: ({ victim }) => ['GET', path.replace('VICTIM', victim.id).replace('NAME', victim.userName)],
  graph: ({ victim }) => `{ ${graph.replace('VICTIM', victim.id).replace('NAME', victim.userName)} }`,
});

const roleIn = ({ victim }: World): string => `role-of-${victim.userName}`;

/** Cases that end the user or its tokens come last. */
const cases: readonly Case[] = [
  read('read oneself', '/v1/users/me', 'me { id }'),
  read('read a user', '/v1/users/VICTIM', 'user(id: "VICTIM") { id }'),
  read('read a user that does not exist', `/v1/users/${nobody}`, `user(id: "${nobody}") { id }`),
  read('read by a malformed id', '/v1/users/1', 'user(id: "1") { id }'),
  read('read by name', '/v1/users/by-user-name/NAME', 'user(userName: "NAME") { id }'),
  read('read by a name that nobody has', '/v1/users/by-user-name/free', 'user(userName: "free") { id }'),
  read('list users', '/v1/users', 'users { nodes { id } }'),
  read('list users with a bad filter', '/v1/users?q=%20', 'users(filter: { q: " " }) { nodes { id } }'),
  read('list users from a bad cursor', '/v1/users?cursor=a', 'users(after: "a") { nodes { id } }'),
  read('list too many users', '/v1/users?limit=101', 'users(first: 101) { nodes { id } }'),
  read('list own sessions', '/v1/auth/sessions', 'sessions { id }'),
  read("list another's sessions", '/v1/auth/sessions?userId=VICTIM', 'sessions(userId: "VICTIM") { id }'),
  read('list services', '/v1/services', 'services { name }'),
  read('list roles', '/v1/roles', 'roles { name }'),
  read('read a role', '/v1/roles/admin', 'role(name: "admin") { name permissions builtIn }'),
  read('read a role that does not exist', '/v1/roles/nobody', 'role(name: "nobody") { name }'),
  read('read a role by a malformed name', '/v1/roles/No', 'role(name: "No") { name }'),
  read('list security events', '/v1/audit', 'auditEvents { nodes { id } }'),
  change('change a name', { firstName: 'Eve' }),
  change('change to nothing', { firstName: '' }),
  change('clear what cannot be cleared', { firstName: null }),
  change('change to a taken address', { email: 'taken@example.org' }),
  change('give roles', { roles: ['user', 'admin'] }),
  change('take roles', { roles: ['user'] }),
  {
    name: 'create with roles',
    rest: () => ['POST', '/v1/users', registration({ roles: ['user'] })],
    graph: () => `mutation { createUser(user: ${asNames(inGraph(registration({ roles: ['user'] })))}) { id } }`,
  },
  change('give a role that does not exist', { roles: ['user', 'nobody'] }),
  {
    name: 'make a role, and again by the next who may',
    rest: (world) => ['POST', '/v1/roles', { name: roleIn(world), permissions: ['a'] }],
    graph: (world) => `mutation { createRole(role: { name: "${roleIn(world)}", permissions: ["a"] }) { name } }`,
  },
  {
    name: 'make a role that is malformed',
    rest: () => ['POST', '/v1/roles', { name: 'No', permissions: [] }],
    graph: () => 'mutation { createRole(role: { name: "No", permissions: [] }) { name } }',
  },
  {
    name: 'change a role',
    rest: (world) => ['PATCH', `/v1/roles/${roleIn(world)}`, { permissions: ['b'] }],
    graph: (world) => `mutation { patchRole(name: "${roleIn(world)}", change: { permissions: ["b"] }) { name } }`,
  },
  {
    name: 'remove a role',
    rest: (world) => ['DELETE', `/v1/roles/${roleIn(world)}`],
    graph: (world) => `mutation { deleteRole(name: "${roleIn(world)}") }`,
  },
  {
    name: 'remove a built-in role',
    rest: () => ['DELETE', '/v1/roles/admin?force=true'],
    graph: () => 'mutation { deleteRole(name: "admin", force: true) }',
  },
  {
    name: 'create with a taken name',
    rest: ({ victim: { userName } }) => ['POST', '/v1/users', registration({ userName })],
    graph: ({ victim: { userName } }) => `mutation { createUser(user: ${inGraph(registration({ userName }))}) { id } }`,
  },
  read('list invitations', '/v1/invitations', 'invitations { nodes { id } }'),
  read('list too many invitations', '/v1/invitations?limit=101', 'invitations(first: 101) { nodes { id } }'),
  read('list invitations from a bad cursor', '/v1/invitations?cursor=a', 'invitations(after: "a") { nodes { id } }'),
  {
    name: 'invite somebody',
    rest: ({ victim }) => ['POST', '/v1/invitations', { email: `${victim.userName}@example.org` }],
    graph: ({ victim }) => `mutation { invite(input: { email: "${victim.userName}@example.org" }) { url } }`,
  },
  {
    name: 'invite somebody with a role',
    rest: () => ['POST', '/v1/invitations', { email: 'guest@example.org', roles: ['user', 'admin'] }],
    graph: () => 'mutation { invite(input: { email: "guest@example.org", roles: [USER, ADMIN] }) { url } }',
  },
  {
    name: 'invite somebody who is a user',
    rest: () => ['POST', '/v1/invitations', { email: 'taken@example.org' }],
    graph: () => 'mutation { invite(input: { email: "taken@example.org" }) { url } }',
  },
  {
    name: 'withdraw an invitation that there is not',
    rest: () => ['DELETE', `/v1/invitations/${nobody}`],
    graph: () => `mutation { withdrawInvitation(id: "${nobody}") }`,
  },
  {
    name: 'accept a made-up invitation',
    rest: () => ['POST', '/v1/auth/invitations/accept', { token: 'a', userName: 'b', password: 'c' }],
    graph: () => 'mutation { acceptInvitation(input: { token: "a", userName: "b", password: "c" }) { id } }',
  },
  {
    name: 'log in with a wrong password',
    rest: ({ stranger: { userName } }) => ['POST', '/v1/auth/login', { userName, password: 'wrong' }],
    graph: ({ stranger: { userName } }) =>
      `mutation { login(userName: "${userName}", password: "wrong") { sessionId } }`,
  },
  {
    name: 'refresh with a made-up token',
    rest: () => ['POST', '/v1/auth/refresh', { refreshToken: 'a' }],
    graph: () => 'mutation { refresh(refreshToken: "a") { sessionId } }',
  },
  {
    name: 'ask for a new password while mail is off',
    rest: () => ['POST', '/v1/auth/password-reset', { email: 'ada@example.org' }],
    graph: () => 'mutation { requestPasswordReset(email: "ada@example.org") }',
  },
  {
    name: 'set a new password while mail is off',
    rest: () => ['POST', '/v1/auth/password-reset/confirm', { token: madeUp, password: 'nine yellow bottles' }],
    graph: () => `mutation { confirmPasswordReset(input: { token: "${madeUp}", password: "nine yellow bottles" }) }`,
  },
  {
    name: 'change a password without the current one',
    rest: ({ victim }) => ['PUT', `/v1/users/${victim.id}/password`, { password: 'nine yellow bottles' }],
    graph: ({ victim }) =>
      `mutation { changePassword(id: "${victim.id}", change: { password: "nine yellow bottles" }) { sessionId } }`,
  },
  {
    name: "end another's session",
    rest: ({ victim }) => ['DELETE', `/v1/auth/sessions/${victim.sessionId}?userId=${victim.id}`],
    graph: ({ victim }) => `mutation { revokeSession(id: "${victim.sessionId}", userId: "${victim.id}") }`,
  },
  {
    name: 'deactivate',
    rest: ({ victim }) => ['PATCH', `/v1/users/${victim.id}`, { status: 'deactivated' }],
    graph: ({ victim }) => `mutation { deactivateUser(id: "${victim.id}") { status } }`,
  },
  {
    name: 'activate',
    rest: ({ victim }) => ['PATCH', `/v1/users/${victim.id}`, { status: 'active' }],
    graph: ({ victim }) => `mutation { activateUser(id: "${victim.id}") { status } }`,
  },
  {
    name: 'lift the delay of logins',
    rest: ({ victim }) => ['DELETE', `/v1/users/${victim.id}/login-delay`],
    graph: ({ victim }) => `mutation { liftLoginDelay(id: "${victim.id}") }`,
  },
  {
    name: 'give the password again',
    rest: () => ['POST', '/v1/auth/reauthenticate', { password: 'seven green bottles' }],
    graph: () => 'mutation { reauthenticate(password: "seven green bottles") { sessionId } }',
  },
  {
    name: 'erase',
    rest: ({ victim }) => ['DELETE', `/v1/users/${victim.id}`],
    graph: ({ victim }) => `mutation { deleteUser(id: "${victim.id}") }`,
  },
  { name: 'log out', rest: () => ['POST', '/v1/auth/logout'], graph: () => 'mutation { logout }' },
];

const gatehouse = useGatehouse({ own: true });

beforeAll(async () => {
  await newPerson(gatehouse, { email: 'taken@example.org' });
});

async function newWorld(): Promise<World> {
  const { token: adminToken } = await signInAdmin(gatehouse);
  const service = (scopes: readonly string[]): Promise<Service> => newService(gatehouse, { token: adminToken, scopes });
  const [victim, stranger] = [await newPerson(gatehouse), await newPerson(gatehouse)];
  const [reader, writer, idle] = [await service(['users:read']), await service(['users:write']), await service([])];
  return { victim, stranger, adminToken, reader, writer, idle };
}

/** Tries every case as every caller. @returns `case, caller: outcome` of each */
async function walk(tried: (one: Case, sent: Sent, world: World) => Promise<string>): Promise<readonly string[]> {
  const world = await newWorld();
  const outcomes: string[] = [];
  for (const one of cases) {
    for (const [caller, credentials] of Object.entries(callers)) {
      outcomes.push(`${one.name}, ${caller}: ${await tried(one, credentials(world), world)}`);
    }
  }
  return outcomes;
}

const overRest = async (one: Case, sent: Sent, world: World): Promise<string> => {
  const [method, path, body] = one.rest(world);
  const answer = await gatehouse.api.call(method, path, { ...sent, body });
  return answer.status < 300 ? 'allowed' : `${answer.status} ${answer.body.code} ${pathsOf(answer.body.errors)}`;
};

const overGraphql = async (one: Case, sent: Sent, world: World): Promise<string> => {
  const { errors, status } = await ask(gatehouse, one.graph(world), sent);
  expect(status, one.graph(world)).toBe(200);
  const extensions = errors?.[0].extensions;
  return errors ? `${extensions.status} ${extensions.code} ${pathsOf(extensions.errors)}` : 'allowed';
};

/** How REST calls a field that an error of GraphQL names. */
const names: Readonly<Record<string, string>> = { first: 'limit', after: 'cursor', name: 'id', '': 'id' };
const pathsOf = (errors: { path: string }[] = []): string => errors.map(({ path }) => names[path] ?? path).join();

test('who may do what is the same over REST and GraphQL', async () => {
  const rest = await walk(overRest);
  expect(await walk(overGraphql)).toEqual(rest);
  // else the comparison would hold for a service that refuses everything
  expect(rest.filter((outcome) => outcome.endsWith(' allowed')).length).toBeGreaterThan(cases.length / 2);
  expect(rest.filter((outcome) => outcome.includes('403 forbidden')).length).toBeGreaterThan(cases.length);
}, 60_000);

test('the cases use every field of Query and Mutation', async () => {
  const { data } = await ask(
    gatehouse,
    '{ __schema { queryType { fields { name } } mutationType { fields { name } } } }',
  );
  const { queryType, mutationType } = data.__schema;
  const world = { victim: {}, stranger: {} } as World;
  const asked = cases.map(({ graph }) => graph(world)).join(' ');
  const missing = [...queryType.fields, ...mutationType.fields].filter(
    ({ name }) => !new RegExp(`\\b${name}\\b`).test(asked),
  );
  expect(missing).toEqual([]);
});

test('without credentials only what is written here is open', async () => {
  const world = { victim: { id: nobody, sessionId: nobody }, stranger: {} } as World;
  const open = new Set<string>();
  for (const { graph } of cases) {
    const query = graph(world);
    const { code } = await ask(gatehouse, query);
    if (code !== 'authentication-required') open.add(/\{ ?(\w+)/.exec(query)?.[1] ?? '');
  }
  expect([...open].toSorted()).toEqual([
    'acceptInvitation',
    'confirmEmail',
    'confirmPasswordReset',
    'createUser',
    'login',
    'refresh',
    'requestEmailVerification',
    'requestPasswordReset',
  ]);
});
