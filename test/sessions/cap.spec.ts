import { SqlEntityManager } from '@mikro-orm/sql';
import { expect, test } from 'vitest';

import { isAccepted, newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ environment: { SESSIONS_PER_USER: '3' } });

const execute = <Row = unknown>(text: string, values: unknown[]): Promise<Row[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute<Row[]>(text, values);
const sessionsOf = async ({ id }: Person): Promise<string[]> =>
  (await execute<{ id: string }>('select id from sessions where user_id = ? order by id', [id])).map((row) => row.id);
const refresh = async ({ refreshToken }: { refreshToken: string }): Promise<number> =>
  (await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } })).status;
const endsOf = async ({ id }: Person): Promise<Record<string, unknown>[]> => {
  const { token } = await signInAdmin(gatehouse);
  const path = `/v1/audit?limit=100&event=session-ended&userId=${id}`;
  return (await gatehouse.api.get(path, { token })).body.items.map(({ details }: any) => details);
};

test('one login too many ends the session that was last used longest ago, both its tokens, and no other', async () => {
  const first = await newPerson(gatehouse);
  const second = await signIn(gatehouse, first);
  const third = await signIn(gatehouse, first);
  // used again, so that the second is the one that was last used longest ago
  expect(await refresh(first)).toBe(200);
  expect(await isAccepted(gatehouse, second.token)).toBe(true);
  expect(await endsOf(first)).toEqual([]);
  const fourth = await signIn(gatehouse, first);
  const accepted = await Promise.all([first, second, third, fourth].map(({ token }) => isAccepted(gatehouse, token)));
  expect(accepted).toEqual([true, false, true, true]);
  expect(await Promise.all([second, third, fourth].map(refresh))).toEqual([401, 200, 200]);
  expect(await endsOf(first)).toEqual([{ sessions: 1, reason: 'too-many-sessions' }]);
});

test('the user is told why the access token of the oldest is refused', async () => {
  const first = await newPerson(gatehouse);
  for (let count = 0; count < 3; count++) await signIn(gatehouse, first);
  const { token } = await signInAdmin(gatehouse);
  const { body } = await gatehouse.api.post('/v1/auth/explain', { token, body: { token: first.token } });
  expect(JSON.stringify(body)).toContain('session-ended');
});

test('a session that is over makes room before one that lives, however long that was not used', async () => {
  const first = await newPerson(gatehouse);
  const over = await signIn(gatehouse, first);
  const third = await signIn(gatehouse, first);
  await execute(`update sessions set created_at = created_at - interval '31 days' where id = ?`, [over.sessionId]);
  const fourth = await signIn(gatehouse, first);
  expect(await sessionsOf(first)).toEqual([first, third, fourth].map(({ sessionId }) => sessionId).toSorted());
});

test('logins at once end no more than needed, and leave the newest', async () => {
  const person = await newPerson(gatehouse);
  const logins = await Promise.all(Array.from({ length: 8 }, () => signIn(gatehouse, person)));
  const left = await sessionsOf(person);
  expect(left).toHaveLength(3);
  const accepted = await Promise.all(logins.map(({ token }) => isAccepted(gatehouse, token)));
  expect(accepted.filter(Boolean)).toHaveLength(3);
  const ended = (await endsOf(person)).map(({ sessions }) => Number(sessions));
  expect(ended.reduce((sum, count) => sum + count, 0)).toBe(6);
});

test('a user who has thousands from before the setting has as many as it says after the next login', async () => {
  const person = await newPerson(gatehouse);
  await execute(
    `insert into sessions (id, user_id, generation, current_hash, last_used_at)
      select gen_random_uuid(), ?, 0, '\\x00', now() - n * interval '1 minute' from generate_series(1, 2500) n`,
    [person.id],
  );
  const next = await signIn(gatehouse, person);
  const left = await sessionsOf(person);
  expect(left).toHaveLength(3);
  expect(left).toEqual(expect.arrayContaining([person.sessionId, next.sessionId]));
  expect((await endsOf(person)).map(({ sessions }) => sessions)).toEqual([499, 500, 500, 500, 500]);
});

test('sessions of others do not count', async () => {
  const person = await newPerson(gatehouse);
  await Promise.all(Array.from({ length: 4 }, () => newPerson(gatehouse)));
  expect(await isAccepted(gatehouse, person.token)).toBe(true);
});
