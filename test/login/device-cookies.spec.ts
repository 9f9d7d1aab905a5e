import { SqlEntityManager } from '@mikro-orm/sql';
import { hashSync } from '@node-rs/bcrypt';
import { expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { importRow, importUsers } from '../support/imports.js';
import { newPerson, type Person, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();

const newPassword = 'eight tall chimneys';

const login = (userName: string, password: string, cookie = ''): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, headers: cookie ? { cookie } : {} });
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';
const deviceOf = (cookie: string): string | undefined => /^gatehouse_device=([^.]+)/.exec(cookie)?.[1];

/** As after many guesses by devices that the account does not know. */
async function delayStrangers({ id, userName }: Pick<Person, 'id' | 'userName'>): Promise<void> {
  expect((await login(userName, 'not the password')).status).toBe(401);
  const sql = "update login_delays set delayed_until = now() + interval '1 h' where subject = ?";
  await gatehouse.app.get(SqlEntityManager).fork().execute(sql, [id]);
}

type Change = (person: Person, cookie: string) => Promise<Answer>;

const overRest: Change = ({ token, password: currentPassword }, cookie) =>
  gatehouse.api.put('/v1/users/me/password', {
    token,
    body: { currentPassword, password: newPassword },
    headers: { cookie },
  });
const overGraphql: Change = ({ token, password: currentPassword }, cookie) =>
  gatehouse.api.post('/graphql', {
    token,
    body: {
      query: 'mutation ($change: PasswordChangeInput!) { changePassword(id: "me", change: $change) { sessionId } }',
      variables: { change: { currentPassword, password: newPassword } },
    },
    headers: { cookie },
  });
const byAdministrator: Change = async ({ id }, cookie) =>
  gatehouse.api.put(`/v1/users/${id}/password`, {
    token: (await signInAdmin(gatehouse)).token,
    body: { password: newPassword },
    headers: { cookie },
  });

test.for([
  ['REST', overRest],
  ['GraphQL', overGraphql],
] as const)(
  'who changes the password over %s keeps a known device; a thief of its cookie has none',
  async ([, change]) => {
    const person = await newPerson(gatehouse);
    const own = cookieOf(await login(person.userName, person.password));
    const stolen = cookieOf(await login(person.userName, person.password));
    const next = cookieOf(await change(person, own));
    expect(next).not.toBe(own);
    expect(deviceOf(next)).toBe(deviceOf(own));
    await delayStrangers(person);
    for (const cookie of [stolen, own]) expect((await login(person.userName, newPassword, cookie)).status).toBe(401);
    expect((await login(person.userName, newPassword, next)).status).toBe(200);
  },
);

test('after a change by an administrator no device is known, and the administrator’s is no device of the user', async () => {
  const person = await newPerson(gatehouse);
  const stolen = cookieOf(await login(person.userName, person.password));
  const changed = await byAdministrator(person, stolen);
  expect([changed.status, cookieOf(changed)]).toEqual([204, '']);
  await delayStrangers(person);
  expect((await login(person.userName, newPassword, stolen)).status).toBe(401);
});

test('a device without a cookie is known from the change on', async () => {
  const person = await newPerson(gatehouse);
  const next = cookieOf(await overRest(person, 'theme=dark'));
  await delayStrangers(person);
  expect((await login(person.userName, newPassword, next)).status).toBe(200);
});

test('a change that is refused gives no cookie', async () => {
  const person = await newPerson(gatehouse);
  const refused = await overRest({ ...person, password: 'not the password' }, 'theme=dark');
  expect([refused.status, cookieOf(refused)]).toEqual([403, '']);
});

test('the device of the first login after an import stays known, although that login replaces the hash', async () => {
  const { token } = await signInAdmin(gatehouse);
  const password = 'seven green bottles';
  const row = importRow({ passwordHash: hashSync(password, 4) });
  const { results } = await importUsers(gatehouse, [row], { token });
  const moved = { id: String(results[0].id), userName: String(row['userName']) };
  const first = cookieOf(await login(moved.userName, password));
  await delayStrangers(moved);
  const second = await login(moved.userName, password, first);
  expect([second.status, deviceOf(cookieOf(second))]).toEqual([200, deviceOf(first)]);
});
