import { expect, test } from 'vitest';

import { ask } from '../support/graphql.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { codeOf } from '../support/second-factors.js';
import { nowSeconds, takeApart, withClaims } from '../support/tokens.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse({ own: true });
const query = '{ secondFactor { factors { id kind createdAt lastUsedAt } recoveryCodesLeft } }';
const confirm = 'mutation ($code: String!) { confirmTotp(code: $code) { recoveryCodes } }';
const reset = 'mutation ($id: ID!) { resetSecondFactor(userId: $id) }';

test('a second factor is set up, renewed and reset over GraphQL as over REST', async () => {
  const { id, token } = await newPerson(gatehouse);
  const { startTotp } = (await ask(gatehouse, 'mutation { startTotp { secret uri qr } }', { token })).data;
  expect(startTotp.uri).toContain(`secret=${startTotp.secret}&`);
  expect((await ask(gatehouse, confirm, { token, variables: { code: 'wrong' } })).code).toBe('wrong-code');
  const confirmed = await ask(gatehouse, confirm, { token, variables: { code: codeOf(startTotp.secret) } });
  expect(confirmed.data.confirmTotp.recoveryCodes).toHaveLength(10);
  const shown = (await ask(gatehouse, query, { token })).data.secondFactor;
  expect(shown).toMatchObject({ factors: [{ kind: 'totp' }], recoveryCodesLeft: 10 });
  expect(shown).toEqual((await gatehouse.api.get('/v1/auth/second-factor', { token })).body);
  expect((await ask(gatehouse, 'mutation { startTotp { secret } }', { token })).code).toBe('second-factor-exists');
  const renewed = await ask(gatehouse, 'mutation { renewRecoveryCodes { recoveryCodes } }', { token });
  expect(renewed.data.renewRecoveryCodes.recoveryCodes).not.toContain(confirmed.data.confirmTotp.recoveryCodes[0]);
  expect((await ask(gatehouse, reset, { token, variables: { id } })).code).toBe('forbidden');
  const boss = (await signInAdmin(gatehouse)).token;
  expect((await ask(gatehouse, reset, { token: boss, variables: { id } })).data.resetSecondFactor).toBe(true);
  expect((await ask(gatehouse, reset, { token: boss, variables: { id } })).code).toBe('second-factor-not-found');
  expect((await ask(gatehouse, query, { token })).data.secondFactor.factors).toEqual([]);
});

test.each(['startTotp { secret }', 'renewRecoveryCodes { recoveryCodes }', 'resetSecondFactor(userId: "me")'])(
  'the mutation %s needs a fresh authentication',
  async (mutation) => {
    const { token } = await signInAdmin(gatehouse);
    const stale = withClaims(takeApart(gatehouse, token), { auth_time: nowSeconds() - 601 });
    const { code } = await ask(gatehouse, `mutation { ${mutation} }`, { token: stale });
    expect(code).toBe('fresh-authentication-required');
  },
);
