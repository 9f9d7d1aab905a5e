import { beforeAll, describe, expect, test } from 'vitest';

import { newPerson, type Person, signIn, signInAdmin } from '../support/people.js';
import { newService, type Service } from '../support/services.js';
import { type Good, takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
let bossToken: string;
let helpDesk: Service;
let person: Person;
let good: Good;

beforeAll(async () => {
  bossToken = (await signInAdmin(gatehouse)).token;
  helpDesk = await newService(gatehouse, { token: bossToken, scopes: ['tokens:introspect'] });
  person = await newPerson(gatehouse);
  good = takeApart(gatehouse, person.token);
});

const explain = (token: string, caller: object = { headers: helpDesk.headers }) =>
  gatehouse.api.post('/v1/auth/explain', { ...caller, body: { token } });

describe('why a token is or is not accepted', () => {
  test('a refresh token is no access token', async () => {
    const { body } = await explain(person.refreshToken);
    expect(body).toMatchObject({ isAccepted: false, reason: 'malformed', detail: expect.stringMatching(/not a JWT/) });
  });

  test('when it expires or ended is told as a time, and whose it is', async () => {
    const at = new Date(Number(good.claims['exp']) * 1000).toISOString();
    const whose = { userId: person.id, sessionId: person.sessionId };
    expect((await explain(person.token)).body).toMatchObject({ at, ...whose });
    const leaver = await newPerson(gatehouse);
    const before = Date.now();
    await gatehouse.api.post('/v1/auth/logout', { token: leaver.token });
    const { body } = await explain(leaver.token);
    expect(Date.parse(body.at)).toBeGreaterThanOrEqual(before - 100);
    expect(Date.parse(body.at)).toBeLessThanOrEqual(Date.now() + 100);
    expect(body.detail).toBe(`its session was revoked by logout at ${body.at}`);
  });
});

describe('who may ask', () => {
  test('administrators, and services that may introspect', async () => {
    const idle = await newService(gatehouse, { token: bossToken, scopes: ['users:read'] });
    const callers = [{ token: bossToken }, { headers: helpDesk.headers }, { headers: idle.headers }];
    const others = [{ token: person.token }, {}];
    const answers = await Promise.all([...callers, ...others].map((caller) => explain('garbage', caller)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403, 401]);
  });

  test.each([[{}], [{ token: '' }], [{ token: 'a', hint: 'b' }]])('with one token: not with %o', async (body) => {
    const answer = await gatehouse.api.post('/v1/auth/explain', { headers: helpDesk.headers, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });
});

test('after everything was revoked, a token says so', async () => {
  expect((await gatehouse.api.post('/v1/auth/revoke-all', { token: bossToken })).status).toBe(204);
  const { body } = await explain(person.token);
  expect(body).toMatchObject({ isAccepted: false, reason: 'revoked', cause: 'all-revoked' });
  const again = await signIn(gatehouse, person);
  expect((await explain(again.token)).body.reason).toBe('accepted');
});
