import { beforeAll, describe, expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { challengeOf, complete } from '../support/second-factor-logins.js';
import { addTotp, codeOf, newPersonWithTotp } from '../support/second-factors.js';
import { newService, newTarget, patchService } from '../support/services.js';
import { takeApart } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
let boss: { readonly token: string };

beforeAll(async () => {
  boss = await signInAdmin(gatehouse);
});

const claimsOf = (token: string): any => takeApart(gatehouse, token).claims;
const outcomeOf = ({ status, body }: Answer): [number, string] => [status, body.code];

describe('the login of a service', () => {
  test('and its audience are those of the tokens, whoever brings the code', async () => {
    const orders = await newTarget(gatehouse, boss.token, ['orders:read']);
    const person = await newPersonWithTotp(gatehouse);
    const { audience, headers } = orders;
    const challenge = await challengeOf(gatehouse, { ...person, audience }, { headers });
    const { body } = await complete(gatehouse, challenge, codeOf(person.secret));
    expect(claimsOf(body.accessToken)).toMatchObject({ aud: audience, client_id: orders.name });
    const refreshed = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
    expect(claimsOf(refreshed.body.accessToken).client_id).toBe(orders.name);
  });

  test('is not finished by another service, nor when it has ended meanwhile', async () => {
    const [orders, other] = [
      await newTarget(gatehouse, boss.token),
      await newService(gatehouse, { token: boss.token, scopes: [] }),
    ];
    const person = await newPersonWithTotp(gatehouse);
    const challenge = await challengeOf(gatehouse, person, { headers: orders.headers });
    const code = codeOf(person.secret);
    const byOther = await complete(gatehouse, challenge, code, { headers: other.headers });
    expect(outcomeOf(byOther)).toEqual([401, 'invalid-challenge']);
    await patchService(gatehouse, { token: boss.token, name: orders.name, status: 'deactivated' });
    expect(outcomeOf(await complete(gatehouse, challenge, code))).toEqual([401, 'invalid-challenge']);
    // nothing was used up
    expect((await complete(gatehouse, await challengeOf(gatehouse, person), code)).status).toBe(200);
  });
});

test('a password alone is what tokens say of those without a second factor', async () => {
  const { token, refreshToken } = await newPerson(gatehouse);
  expect(claimsOf(token)).toMatchObject({ amr: ['pwd'], acr: 'urn:gatehouse:1fa' });
  const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken } });
  expect(claimsOf(body.accessToken)).toMatchObject({ amr: ['pwd'], acr: 'urn:gatehouse:1fa' });
});

test('introspection tells how the user was authenticated', async () => {
  const person = await newPersonWithTotp(gatehouse);
  const { body } = await complete(gatehouse, await challengeOf(gatehouse, person), codeOf(person.secret));
  const gateway = await newService(gatehouse, { token: boss.token, scopes: ['tokens:introspect'] });
  const form = { body: new URLSearchParams({ token: body.accessToken }), headers: gateway.headers };
  const answer = await gatehouse.api.post('/v1/auth/introspect', form);
  expect(answer.body).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:gatehouse:2fa' });
});

test('an unfinished login is in the export of its user, without its secret', async () => {
  const person = await newPersonWithTotp(gatehouse);
  await challengeOf(gatehouse, person);
  const { body } = await gatehouse.api.get(`/v1/users/${person.id}/export`, { token: boss.token });
  expect(body.unfinishedLogins).toMatchObject([{ clientId: 'gatehouse', audience: null }]);
});

test('a second factor that is set up over the session that asks is that of the session', async () => {
  const person = await newPerson(gatehouse);
  await addTotp(gatehouse, person);
  const { body } = await gatehouse.api.post('/v1/auth/refresh', { body: { refreshToken: person.refreshToken } });
  expect(claimsOf(body.accessToken).acr).toBe('urn:gatehouse:2fa');
});
