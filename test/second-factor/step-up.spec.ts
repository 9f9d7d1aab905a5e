import { SqlEntityManager } from '@mikro-orm/sql';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { ask } from '../support/graphql.js';
import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { codeOf, newPersonWithTotp, wrongCodeOf } from '../support/second-factors.js';
import { newService } from '../support/services.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: { readonly token: string };

beforeAll(async () => {
  boss = await signInAdmin(gatehouse);
});

const sql = (statement: string, values: unknown[] = []): Promise<any[]> =>
  gatehouse.app.get(SqlEntityManager).fork().execute(statement, values);
const claimsOf = (token: string): any => takeApart(gatehouse, token).claims;
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body?.code];
const reauthenticate = ({ token }: { token: string }, body: object): Promise<Answer> =>
  gatehouse.api.post('/v1/auth/reauthenticate', { token, body });
const remove = ({ token }: { token: string }, body: object): Promise<Answer> =>
  gatehouse.api.delete('/v1/auth/second-factor/totp', { token, body });
/** The same token, of somebody who gave the password too long ago. */
const stale = ({ token }: { token: string }): { token: string } => ({
  token: withClaims(takeApart(gatehouse, token), { auth_time: nowSeconds() - 601 }),
});
const eventsOf = async ({ id }: Person): Promise<string[]> =>
  (await sql('select event from audit_events where user_id = ? order by at, id', [id])).map(({ event }) => event);
/** As the session was before a code was given in it. */
const forgetCode = ({ sessionId }: Person): Promise<unknown> =>
  sql(`update sessions set amr = '{pwd}', authenticated_at = now() - interval '1 hour' where id = ?`, [sessionId]);

describe('a code given to reauthenticate', () => {
  test('makes it fresh, and a session with both factors, which a refresh goes on from', async () => {
    const person = await newPersonWithTotp(gatehouse);
    await forgetCode(person);
    const { status, body } = await reauthenticate(stale(person), { code: codeOf(person.secret) });
    expect([status, Object.keys(body).toSorted()]).toEqual([
      200,
      ['accessToken', 'expiresIn', 'sessionId', 'tokenType'],
    ]);
    expect(claimsOf(body.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:gatehouse:2fa' });
    expect(claimsOf(body.accessToken).auth_time).toBeGreaterThan(nowSeconds() - 30);
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    expect(claimsOf(refreshed.body.accessToken).acr).toBe('urn:gatehouse:2fa');
    expect((await eventsOf(person)).at(-1)).toBe('reauthenticated');
  });

  test('may be a recovery code, and works once', async () => {
    const person = await newPersonWithTotp(gatehouse);
    for (const code of [codeOf(person.secret), person.recoveryCodes[0] ?? '']) {
      expect((await reauthenticate(person, { code })).status).toBe(200);
      expect(outcomeOf(await reauthenticate(person, { code }))).toEqual([403, 'wrong-code']);
    }
    expect(await eventsOf(person)).toContain('recovery-code-used');
  });

  test('is refused when it is wrong, and after a few wrong ones although it is right', async () => {
    const person = await newPersonWithTotp(gatehouse);
    for (let time = 0; time < 6; time++) {
      expect(outcomeOf(await reauthenticate(person, { code: wrongCodeOf(person.secret) }))).toEqual([
        403,
        'wrong-code',
      ]);
    }
    await sql(`update login_delays set delayed_until = now() + interval '10 minutes' where subject = ?`, [person.id]);
    const code = codeOf(person.secret);
    expect(outcomeOf(await reauthenticate(person, { code }))).toEqual([403, 'wrong-code']);
    expect(outcomeOf(await remove(person, { code }))).toEqual([403, 'wrong-code']);
    // the guesses were this session's, and the code was not used up
    expect((await complete(gatehouse, await challengeOf(gatehouse, person), code)).status).toBe(200);
  });

  test('is none of somebody without a second factor', async () => {
    const person = await newPerson(gatehouse);
    expect(outcomeOf(await reauthenticate(person, { code: '123456' }))).toEqual([403, 'wrong-code']);
  });

  test('works over GraphQL', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const mutation = 'mutation ($code: String) { reauthenticate(code: $code) { accessToken } }';
    const { data } = await ask(gatehouse, mutation, { ...person, variables: { code: codeOf(person.secret) } });
    expect(claimsOf(data.reauthenticate.accessToken).acr).toBe('urn:gatehouse:2fa');
  });
});

test('a password given to reauthenticate leaves the session what it is', async () => {
  const person = await newPersonWithTotp(gatehouse);
  const ofBoth = await reauthenticate(person, { password: person.password });
  expect(claimsOf(ofBoth.body.accessToken).acr).toBe('urn:gatehouse:2fa');
  await forgetCode(person);
  const ofOne = await reauthenticate(person, { password: person.password });
  expect(claimsOf(ofOne.body.accessToken)).toMatchObject({ amr: ['pwd'], acr: 'urn:gatehouse:1fa' });
});

test('a changed password leaves the session what it is', async () => {
  const { id, token, password } = await newPersonWithTotp(gatehouse);
  const body = { currentPassword: password, password: 'nine small windows' };
  const answer = await gatehouse.api.put(`/v1/users/${id}/password`, { token, body });
  expect(claimsOf(answer.body.accessToken).acr).toBe('urn:gatehouse:2fa');
});

test.each([[{}], [{ password: 'a', code: '123456' }], [{ code: '' }], [{ code: 123_456 }]])(
  'neither nor both, such as %j, is no proof',
  async (body) => {
    const person = await newPerson(gatehouse);
    expect(outcomeOf(await reauthenticate(person, body))).toEqual([400, 'invalid-request']);
    expect(outcomeOf(await remove(person, body))).toEqual([400, 'invalid-request']);
  },
);

describe('removing the second factor', () => {
  test.for(['password', 'code', 'recovery code'])('takes a %s, and then the password signs in', async (what) => {
    const person = await newPersonWithTotp(gatehouse);
    const proofs: Record<string, object> = {
      password: { password: person.password },
      code: { code: codeOf(person.secret) },
      'recovery code': { code: person.recoveryCodes[3] },
    };
    expect((await remove(person, proofs[what] ?? {})).status).toBe(204);
    const { token } = await signIn(gatehouse, person);
    expect(claimsOf(token)).toMatchObject({ amr: ['pwd'], acr: 'urn:gatehouse:1fa' });
    expect(await sql('select 1 from recovery_codes where user_id = ?', [person.id])).toEqual([]);
    expect(await eventsOf(person)).toContain('second-factor-removed');
    expect(outcomeOf(await remove(person, proofs[what] ?? {}))).toEqual([404, 'second-factor-not-found']);
  });

  test('makes its sessions those of a password from the next refresh on', async () => {
    const person = await newPersonWithTotp(gatehouse);
    expect((await remove(person, { password: person.password })).status).toBe(204);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    expect(claimsOf(body.accessToken).acr).toBe('urn:gatehouse:1fa');
  });

  test('by an administrator does so too', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const { status } = await gatehouse.api.delete(`/v1/users/${person.id}/second-factor`, { token: boss.token });
    expect(status).toBe(204);
    const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
    expect(claimsOf(body.accessToken).acr).toBe('urn:gatehouse:1fa');
  });

  test('is refused with what is wrong, which counts', async () => {
    const person = await newPersonWithTotp(gatehouse);
    expect(outcomeOf(await remove(person, { password: 'not the password' }))).toEqual([403, 'wrong-password']);
    expect(outcomeOf(await remove(person, { code: wrongCodeOf(person.secret) }))).toEqual([403, 'wrong-code']);
    const counted = await sql('select failures from login_delays where subject = ? and device = ?', [
      person.id,
      person.sessionId,
    ]);
    expect(counted).toEqual([{ failures: 2 }]);
    await challengeOf(gatehouse, person);
  });

  test('is for people', async () => {
    const { headers } = await newService(gatehouse, { token: boss.token, scopes: ['users:write'] });
    const answer = await gatehouse.api.delete('/v1/auth/second-factor/totp', { headers, body: { code: '123456' } });
    expect(outcomeOf(answer)).toEqual([403, 'forbidden']);
  });

  test('works over GraphQL', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const mutation = 'mutation ($code: String) { removeTotp(code: $code) }';
    const { data } = await ask(gatehouse, mutation, { ...person, variables: { code: codeOf(person.secret) } });
    expect(data).toEqual({ removeTotp: true });
    await signIn(gatehouse, person);
  });
});
