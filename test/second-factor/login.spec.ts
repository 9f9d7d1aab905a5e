import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import { Sweeper } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { codeOf, newPersonWithTotp, wrongCodeOf } from '../support/second-factors.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: { readonly token: string };

beforeAll(async () => {
  boss = await signInAdmin(gatehouse);
});

const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const claimsOf = (token: string): any => takeApart(gatehouse, token).claims;
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body.code];
const login = ({ userName, password }: Person, wish = {}): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/login', { body: { userName, password }, ...wish });
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? '';
const eventsOf = async ({ id }: Person): Promise<string[]> =>
  (await sql('select event from audit_events where user_id = ? order by at, id', [id])).map(({ event }) => event);
const sessionsOf = async ({ id }: Person): Promise<number> =>
  (await sql('select count(*)::int as count from sessions where user_id = ?', [id]))[0].count;

describe('the right password of somebody with a second factor', () => {
  test('gives a challenge, and neither a session nor a cookie', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const before = await sessionsOf(person);
    const answer = await login(person);
    expect(outcomeOf(answer)).toEqual([401, 'second-factor-required']);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.challenge).toMatch(/^[\w-]{43}$/);
    expect(answer.body.factors).toEqual(['totp', 'recovery-code']);
    expect(await sessionsOf(person)).toBe(before);
    expect((await eventsOf(person)).at(-1)).toBe('login-challenged');
  });

  test('names no recovery codes when they are used up', async () => {
    const person = await newPersonWithTotp(gatehouse);
    await sql('delete from recovery_codes where user_id = ?', [person.id]);
    expect((await login(person)).body.factors).toEqual(['totp']);
  });

  test('is kept as a hash of the challenge', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const challenge = await challengeOf(gatehouse, person);
    const [row] = await sql('select * from login_challenges where user_id = ?', [person.id]);
    expect(JSON.stringify(row)).not.toContain(challenge);
    expect(Buffer.from(row.token_hash)).toHaveLength(32);
  });

  test('and a wrong one get the same answer as before', async () => {
    const person = await newPersonWithTotp(gatehouse);
    expect(outcomeOf(await login({ ...person, password: 'not the password' }))).toEqual([401, 'invalid-credentials']);
  });

  test('is enough while the second factor is not confirmed, or after it was removed', async () => {
    const person = await newPerson(gatehouse);
    await gatehouse.api.post('/v1/auth/second-factor/totp', { token: person.token });
    await signIn(gatehouse, person);
  });
});

describe('a code of the second factor', () => {
  test('gives tokens that say so, and the cookie of a known device', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const answer = await complete(gatehouse, await challengeOf(gatehouse, person), codeOf(person.secret));
    expect(answer.status, answer.text).toBe(200);
    const { accessToken, refreshToken } = answer.body;
    expect(claimsOf(accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:gatehouse:2fa' });
    expect(cookieOf(answer)).toMatch(/^gatehouse_device=/);
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } });
    expect(claimsOf(refreshed.body.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
    expect(claimsOf(refreshed.body.accessToken).auth_time).toBe(claimsOf(accessToken).auth_time);
    expect((await eventsOf(person)).slice(-2)).toEqual(['login-challenged', 'login-succeeded']);
  });

  test('may be a recovery code, which is recorded', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const [code = ''] = person.recoveryCodes;
    const { status, body } = await complete(gatehouse, await challengeOf(gatehouse, person), code);
    expect([status, claimsOf(body.accessToken).acr]).toEqual([200, 'urn:gatehouse:2fa']);
    expect((await eventsOf(person)).slice(-2).toSorted()).toEqual(['login-succeeded', 'recovery-code-used']);
    const again = await complete(gatehouse, await challengeOf(gatehouse, person), code);
    expect(outcomeOf(again)).toEqual([401, 'invalid-credentials']);
  });

  test('works once, and so does the challenge', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const [challenge, code] = [await challengeOf(gatehouse, person), codeOf(person.secret)];
    expect((await complete(gatehouse, challenge, code)).status).toBe(200);
    const [recovery = ''] = person.recoveryCodes;
    expect(outcomeOf(await complete(gatehouse, challenge, recovery))).toEqual([401, 'invalid-challenge']);
    const another = await challengeOf(gatehouse, person);
    expect(outcomeOf(await complete(gatehouse, another, code))).toEqual([401, 'invalid-credentials']);
    expect((await complete(gatehouse, another, recovery)).status).toBe(200);
  });

  test('of somebody else is wrong', async () => {
    const [person, other] = [await newPersonWithTotp(gatehouse), await newPersonWithTotp(gatehouse)];
    const challenge = await challengeOf(gatehouse, person);
    for (const code of [codeOf(other.secret), other.recoveryCodes[0] ?? '']) {
      expect(outcomeOf(await complete(gatehouse, challenge, code))).toEqual([401, 'invalid-credentials']);
    }
    const { body } = await complete(gatehouse, challenge, codeOf(person.secret));
    expect(claimsOf(body.accessToken).sub).toBe(person.id);
  });

  test('that is wrong is named as such, is recorded, and leaves the challenge good', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const challenge = await challengeOf(gatehouse, person);
    const refused = await complete(gatehouse, challenge, wrongCodeOf(person.secret));
    expect([...outcomeOf(refused), refused.headers.get('set-cookie')]).toEqual([401, 'invalid-credentials', null]);
    expect(refused.body.detail).toMatch(/code/);
    expect((await eventsOf(person)).at(-1)).toBe('login-failed');
    expect((await complete(gatehouse, challenge, codeOf(person.secret))).status).toBe(200);
  });

  test('ends the oldest session when there are as many as there may be', async () => {
    const person = await newPersonWithTotp(gatehouse);
    await sql(
      `insert into sessions (id, user_id, generation, current_hash, last_used_at)
        select gen_random_uuid(), ?, 0, sha256(n::text::bytea), now() - n * interval '1 minute' from generate_series(1, 99) n`,
      [person.id],
    );
    await complete(gatehouse, await challengeOf(gatehouse, person), codeOf(person.secret));
    expect(await sessionsOf(person)).toBe(100);
    expect(await eventsOf(person)).toContain('session-ended');
  });

  test('works over GraphQL, whose error tells the challenge', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const first =
      'mutation ($userName: String!, $password: String!) { login(userName: $userName, password: $password) { sessionId } }';
    const { userName, password } = person;
    const { errors } = await ask(gatehouse, first, { variables: { userName, password } });
    const { code, challenge, factors } = errors[0].extensions;
    expect([code, factors]).toEqual(['second-factor-required', ['totp', 'recovery-code']]);
    const second =
      'mutation ($challenge: String!, $code: String!) { completeLogin(challenge: $challenge, code: $code) { accessToken } }';
    const { data } = await ask(gatehouse, second, { variables: { challenge, code: codeOf(person.secret) } });
    expect(claimsOf(data.completeLogin.accessToken).acr).toBe('urn:gatehouse:2fa');
  });
});

describe('a challenge is no longer good', () => {
  const dead: readonly (readonly [string, (person: Person) => Promise<unknown>])[] = [
    ['after five minutes', () => sql("update login_challenges set created_at = now() - interval '301 seconds'")],
    [
      'when the password was changed',
      ({ id, password, token }) =>
        gatehouse.api.put(`/v1/users/${id}/password`, {
          token,
          body: { currentPassword: password, password: 'nine small windows' },
        }),
    ],
    [
      'when the user was deactivated',
      ({ id }) => gatehouse.api.patch(`/v1/users/${id}`, { token: boss.token, body: { status: 'deactivated' } }),
    ],
    ['when the user was erased', ({ id }) => sql('delete from users where id = ?', [id])],
  ];
  test.for(dead)('%s', async ([, end]) => {
    const person = await newPersonWithTotp(gatehouse);
    const challenge = await challengeOf(gatehouse, person);
    await end(person);
    expect(outcomeOf(await complete(gatehouse, challenge, codeOf(person.secret)))).toEqual([401, 'invalid-challenge']);
  });

  test('when it is made up', async () => {
    expect(outcomeOf(await complete(gatehouse, 'a'.repeat(43), '123456'))).toEqual([401, 'invalid-challenge']);
  });

  test('and is swept away then', async () => {
    const person = await newPersonWithTotp(gatehouse);
    await challengeOf(gatehouse, person);
    await sql("update login_challenges set created_at = now() - interval '301 seconds' where user_id = ?", [person.id]);
    await gatehouse.app.get(Sweeper).sweepNow();
    expect(await sql('select 1 from login_challenges where user_id = ?', [person.id])).toEqual([]);
  });
});
