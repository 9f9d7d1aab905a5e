import { registration, type Person } from '../support/people.js';
import type { Service } from '../support/services.js';

/** The people of one walk: REST and GraphQL each get their own, since both change them. */
export type World = {
  readonly victim: Person;
  readonly stranger: Person;
  readonly adminToken: string;
  readonly reader: Service;
  readonly writer: Service;
  readonly idle: Service;
};
export type Sent = { readonly token?: string; readonly headers?: Record<string, string> };
export type Case = {
  readonly name: string;
  readonly rest: (world: World) => readonly [method: string, path: string, body?: object];
  readonly graph: (world: World) => string;
};

export const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
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
export const cases: readonly Case[] = [
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
    name: 'finish a login with a made-up challenge',
    rest: () => ['POST', '/v1/auth/login/second-factor', { challenge: 'a', code: '123456' }],
    graph: () => 'mutation { completeLogin(challenge: "a", code: "123456") { sessionId } }',
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
    name: 'ask for a mail to an address',
    rest: () => ['POST', '/v1/auth/email-verification', { email: 'ada@example.org' }],
    graph: () => 'mutation { requestEmailVerification(email: "ada@example.org") }',
  },
  {
    name: 'confirm an address by a link that is made up',
    rest: () => ['POST', '/v1/auth/email-verification/confirm', { token: madeUp }],
    graph: () => `mutation { confirmEmail(input: { token: "${madeUp}" }) }`,
  },
  read('look at the second factor', '/v1/auth/second-factor', 'secondFactor { recoveryCodesLeft }'),
  {
    name: 'begin with a second factor',
    rest: () => ['POST', '/v1/auth/second-factor/totp'],
    graph: () => 'mutation { startTotp { secret } }',
  },
  {
    name: 'confirm it with a wrong code',
    rest: () => ['POST', '/v1/auth/second-factor/totp/confirm', { code: 'wrong' }],
    graph: () => 'mutation { confirmTotp(code: "wrong") { recoveryCodes } }',
  },
  {
    name: 'remove a second factor that is not there',
    rest: () => ['DELETE', '/v1/auth/second-factor/totp', { code: 'wrong' }],
    graph: () => 'mutation { removeTotp(code: "wrong") }',
  },
  {
    name: 'get recovery codes without it',
    rest: () => ['POST', '/v1/auth/second-factor/recovery-codes'],
    graph: () => 'mutation { renewRecoveryCodes { recoveryCodes } }',
  },
  {
    name: 'reset a second factor',
    rest: ({ victim }) => ['DELETE', `/v1/users/${victim.id}/second-factor`],
    graph: ({ victim }) => `mutation { resetSecondFactor(userId: "${victim.id}") }`,
  },
  {
    name: 'erase',
    rest: ({ victim }) => ['DELETE', `/v1/users/${victim.id}`],
    graph: ({ victim }) => `mutation { deleteUser(id: "${victim.id}") }`,
  },
  { name: 'log out', rest: () => ['POST', '/v1/auth/logout'], graph: () => 'mutation { logout }' },
];
