import { hash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { KeyRotationService, SigningKeysService } from '#libs/auth';

import { freePort } from '../support/free-port.js';
import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { execute } from '../support/reset-mailbox.js';
import { newHolder, newRole } from '../support/roles.js';
import { newService, type Service } from '../support/services.js';
import { useGatehouse } from '../support/use-gatehouse.js';
import { saidOf, startVerifierGroup, untilHeard, type VerifierGroup } from '../support/verifier-group.js';

const port = String(await freePort());
const address = { PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` };
const mail = { MAIL: 'file', MAIL_FROM: 'id@example.org' };
const gatehouse = useGatehouse({
  environment: { ...address, ...mail, REFRESH_GRACE_SECONDS: '0', SESSIONS_PER_USER: '3' },
});
/** Other services, which check tokens by themselves. */
let services: VerifierGroup;
let serviceKey: string;
/** The service that signed a person in, where a row is about one. */
let frontend: Service;
/** The role that a person holds, where a row is about one. */
let role: string;

beforeAll(async () => {
  const boss = await signInAdmin(gatehouse);
  const body = { name: 'revoker', scopes: ['tokens:revoke'] };
  const created = await gatehouse.api.post('/v1/services', { token: boss.token, body });
  serviceKey = `revoker.${created.body.secret}`;
  services = await startVerifierGroup(gatehouse);
});
afterAll(() => services.close());

const revoke = (token: string): Promise<unknown> =>
  gatehouse.api.post('/v1/auth/revoke', {
    body: new URLSearchParams({ token }),
    headers: { 'x-service-key': serviceKey },
  });

async function patchAsAdmin({ id }: Person, ...changes: object[]): Promise<void> {
  const { token } = await signInAdmin(gatehouse);
  for (const body of changes) expect((await gatehouse.api.patch(`/v1/users/${id}`, { token, body })).status).toBe(200);
}

async function changePassword(person: Person, token: string): Promise<void> {
  const body = { currentPassword: person.password, password: 'eight tall chimneys' };
  expect((await gatehouse.api.put(`/v1/users/${person.id}/password`, { token, body })).status).toBe(
    token === person.token ? 200 : 204,
  );
}

/** By a link as a mail has it. */
async function resetPassword({ id }: Person): Promise<void> {
  const token = randomBytes(20).toString('hex');
  const insert =
    "insert into one_time_tokens (id, purpose, user_id, email_key, token_hash) values (?, 'password-reset', ?, '', ?)";
  await execute(gatehouse, insert, [randomUUID(), id, hash('sha256', token, 'buffer')]);
  const body = { token, password: 'eight tall chimneys' };
  expect((await gatehouse.api.post('/v1/auth/password-reset/confirm', { body })).status).toBe(204);
}

async function reuse(person: Person): Promise<void> {
  const body = { refreshToken: person.refreshToken };
  await gatehouse.api.post('/v1/auth/refresh', { body });
  // a grace of 0 s is over as soon as the clock has moved
  await sleep(5);
  expect((await gatehouse.api.post('/v1/auth/refresh', { body })).status).toBe(401);
}

const events: Record<string, (person: Person) => Promise<unknown>> = {
  'log out': ({ token }) => gatehouse.api.post('/v1/auth/logout', { token }),
  'log out everywhere': ({ token }) => gatehouse.api.post('/v1/auth/logout-all', { token }),
  'end this session': ({ token, sessionId }) => gatehouse.api.delete(`/v1/auth/sessions/${sessionId}`, { token }),
  'end all other sessions': ({ token }) => gatehouse.api.delete('/v1/auth/sessions?except=current', { token }),
  // each person here has two sessions
  'one login more than `SESSIONS_PER_USER`': async (person) => {
    await signIn(gatehouse, person);
    await signIn(gatehouse, person);
  },
  'access token revoked (RFC 7009)': ({ token }) => revoke(token),
  'refresh token revoked (RFC 7009)': ({ refreshToken }) => revoke(refreshToken),
  'refresh token reused after the grace': reuse,
  'own password changed': (person) => changePassword(person, person.token),
  'password changed by an administrator': async (person) =>
    changePassword(person, (await signInAdmin(gatehouse)).token),
  'password reset by mail': resetPassword,
  'roles changed': (person) => patchAsAdmin(person, { roles: ['user', 'admin'] }),
  'a permission of its role changed': async () => {
    const { token } = await signInAdmin(gatehouse);
    const body = { permissions: ['orders:read'] };
    expect((await gatehouse.api.patch(`/v1/roles/${role}`, { token, body })).status).toBe(200);
  },
  'its role removed': async () => {
    const { token } = await signInAdmin(gatehouse);
    expect((await gatehouse.api.delete(`/v1/roles/${role}?force=true`, { token })).status).toBe(204);
  },
  deactivated: (person) => patchAsAdmin(person, { status: 'deactivated' }),
  'deactivated, then activated': (person) => patchAsAdmin(person, { status: 'deactivated' }, { status: 'active' }),
  deleted: ({ token }) => gatehouse.api.delete('/v1/users/me', { token }),
  'signing key retired': async () => {
    const { ring } = gatehouse.app.get(SigningKeysService);
    await gatehouse.app.get(KeyRotationService).retire(ring.signing(Date.now())?.id ?? '', 'operator');
  },
  'everything revoked': async () => {
    const { token } = await signInAdmin(gatehouse);
    expect((await gatehouse.api.post('/v1/auth/revoke-all', { token })).status).toBe(204);
  },
};

for (const [event, end] of [
  [
    'its service deactivated',
    (path: string, token: string) => gatehouse.api.patch(path, { token, body: { status: 'deactivated' } }),
  ],
  ['its service deleted', (path: string, token: string) => gatehouse.api.delete(path, { token })],
] as const) {
  events[event] = async () => {
    const { token } = await signInAdmin(gatehouse);
    await end(`/v1/services/${frontend.name}`, token);
  };
}

/** Signed in with the key of a service of its own. */
async function signedInByService(person: Person): Promise<Person> {
  frontend = await newService(gatehouse, { token: (await signInAdmin(gatehouse)).token, scopes: [] });
  const body = { userName: person.userName, password: person.password };
  const answer = await gatehouse.api.post('/v1/auth/login', { body, headers: frontend.headers });
  const { accessToken: token, refreshToken, sessionId } = answer.body;
  return { ...person, token, refreshToken, sessionId };
}

const rows = readFileSync(resolve(import.meta.dirname, '../../docs/revocation-matrix.md'), 'utf8')
  .split('\n## Tokens of services\n', 1)[0]
  ?.split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
const [header = [], , ...matrix] = rows ?? [];

test('the published matrix has a row for each event that is proved here', () => {
  expect(matrix.map(([event]) => event)).toEqual(Object.keys(events));
});

test.each(matrix)('%s', async (event, ...expected) => {
  const isAboutRole = event?.includes('its role');
  if (isAboutRole) role = await newRole(gatehouse);
  const somebody = isAboutRole ? await newHolder(gatehouse, role) : await newPerson(gatehouse);
  const other = await signIn(gatehouse, somebody);
  const person = event?.startsWith('its service') ? await signedInByService(somebody) : somebody;
  // a verdict that was remembered would show afterwards
  expect([await saidOf(services, person.token), await saidOf(services, other.token)]).toEqual(['alive', 'alive']);
  await events[event ?? '']?.(person);
  await untilHeard(gatehouse, services);
  const inEveryVerifier = await saidOf(services, person.token);
  const otherInEveryVerifier = await saidOf(services, other.token);
  const states = {
    'this access token': await isAccepted(gatehouse, person.token),
    "other session's access token": await isAccepted(gatehouse, other.token),
    'this refresh token': await canRefresh(person.refreshToken),
    "other session's refresh token": await canRefresh(other.refreshToken),
    'sign-in': await canSignIn(person),
  };
  const found = Object.fromEntries(Object.entries(states).map(([name, isAlive]) => [name, isAlive ? 'alive' : 'dead']));
  const published = Object.fromEntries(header.slice(1).map((name, index) => [name, expected[index]]));
  expect({ ...found, 'in every verifier': inEveryVerifier }).toEqual(published);
  expect(otherInEveryVerifier).toBe(published["other session's access token"]);
});

async function canRefresh(refreshToken: string): Promise<boolean> {
  return (await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } })).status === 200;
}

async function canSignIn({ userName, password }: Person): Promise<boolean> {
  return (await gatehouse.api.post('/v1/auth/login', { body: { userName, password } })).status === 200;
}
