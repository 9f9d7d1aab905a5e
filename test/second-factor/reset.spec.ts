import { beforeAll, describe, expect, test } from 'vitest';

import { Sql } from '#libs/platform/database';

import type { Answer } from '../support/api.js';
import { isAccepted, newPerson, type Person, signInAdmin } from '../support/people.js';
import { addTotp, codeOf, newPersonWithTotp, startTotp, useCode } from '../support/second-factors.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let boss: string;

beforeAll(async () => {
  boss = (await signInAdmin(gatehouse)).token;
});

const rows = (text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> =>
  gatehouse.app.get(Sql).rows({ text }, values);
const reset = (id: string, token = boss): Promise<Answer> =>
  gatehouse.api.delete(`/v1/users/${id}/second-factor`, { token });
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body.code];

describe('an administrator who takes the second factor from a user', () => {
  test('leaves neither factor nor code, and a row in the audit', async () => {
    const person = await newPersonWithTotp(gatehouse);
    expect((await reset(person.id)).status).toBe(204);
    const { body } = await gatehouse.api.get('/v1/auth/second-factor', { token: person.token });
    expect(body).toEqual({ factors: [], recoveryCodesLeft: 0 });
    expect(await useCode(gatehouse, person, codeOf(person.secret))).toBeUndefined();
    expect(await useCode(gatehouse, person, person.recoveryCodes[0] ?? '')).toBeUndefined();
    const trail = await gatehouse.api.get(`/v1/audit?event=second-factor-reset&userId=${person.id}`, { token: boss });
    expect(trail.body.items).toMatchObject([{ caller: expect.stringMatching(/^user:/), userId: person.id }]);
    expect((await addTotp(gatehouse, person)).recoveryCodes).toHaveLength(10);
  });

  test('ends no session, and leaves failed logins as they are', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const login = { userName: person.userName, password: 'not the password' };
    for (let time = 0; time < 3; time++) await gatehouse.api.post('/v1/auth/login', { body: login });
    const failures = 'select device, failures, delayed_until from login_delays where subject = $1 order by device';
    const before = await rows(failures, [person.id]);
    expect(before.length).toBeGreaterThan(0);
    expect((await reset(person.id)).status).toBe(204);
    expect(await rows(failures, [person.id])).toEqual(before);
    expect(await isAccepted(gatehouse, person.token)).toBe(true);
  });

  test('is told when there is none; one that was only begun is none, but goes too', async () => {
    const person = await newPerson(gatehouse);
    expect(outcomeOf(await reset(person.id))).toEqual([404, 'second-factor-not-found']);
    const secret = await startTotp(gatehouse, person);
    expect(outcomeOf(await reset(person.id))).toEqual([404, 'second-factor-not-found']);
    const body = { code: codeOf(secret) };
    const confirmed = await gatehouse.api.post('/v1/auth/second-factor/totp/confirm', { token: person.token, body });
    expect(confirmed.status).toBe(200);
    const nobody = '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e';
    expect(outcomeOf(await reset(nobody))).toEqual([404, 'user-not-found']);
  });

  test('must have given the password within the last ten minutes', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const stale = withClaims(takeApart(gatehouse, boss), { auth_time: nowSeconds() - 601 });
    expect(outcomeOf(await reset(person.id, stale))).toEqual([403, 'fresh-authentication-required']);
    expect(await useCode(gatehouse, person, codeOf(person.secret))).toBe('totp');
  });

  test('at once with others removes it once', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const answers = await Promise.all(Array.from({ length: 10 }, () => reset(person.id)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const count = `select count(*)::int as n from audit_events where user_id = $1 and event = 'second-factor-reset'`;
    expect(await rows(count, [person.id])).toEqual([{ n: 1 }]);
  });
});

test('who is no administrator may not, not even for themselves', async () => {
  const [ada, eve]: Person[] = [await newPersonWithTotp(gatehouse), await newPerson(gatehouse)];
  for (const token of [ada?.token, eve?.token]) {
    expect(outcomeOf(await reset(ada?.id ?? '', token))).toEqual([403, 'forbidden']);
  }
});

test('an export has when factors and codes were made, without secrets; an erased user leaves none', async () => {
  const person = await newPersonWithTotp(gatehouse);
  const { body, text } = await gatehouse.api.get('/v1/users/me/export', { token: person.token });
  const time = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(body.secondFactors).toEqual([
    { id: expect.any(String), kind: 'totp', name: null, createdAt: time, confirmedAt: time, lastUsedAt: time },
  ]);
  expect(body.recoveryCodes).toEqual(Array.from({ length: 10 }, () => ({ createdAt: time })));
  for (const secret of [person.secret, ...person.recoveryCodes]) expect(text).not.toContain(secret);
  expect((await gatehouse.api.delete('/v1/users/me', { token: person.token })).status).toBe(204);
  const left = `select id::text from second_factors where user_id = $1
    union all select created_at::text from recovery_codes where user_id = $1`;
  expect(await rows(left, [person.id])).toEqual([]);
});
