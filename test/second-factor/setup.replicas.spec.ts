import { expect, test } from 'vitest';

import type { Answer } from '../support/api.js';
import { newPerson, signInAdmin } from '../support/people.js';
import { codeOf, newPersonWithTotp, startTotp, useCode } from '../support/second-factors.js';
import { useReplicas } from '../support/use-gatehouse.js';

const { both } = useReplicas();
const at = (index: number) => both()[index % 2 === 0 ? 0 : 1];
const fifty = Array.from({ length: 50 }, (_, index) => index);

test('fifty confirmations of one secret on two replicas: one gets recovery codes', async () => {
  const person = await newPerson(at(0));
  const body = { code: codeOf(await startTotp(at(1), person)) };
  const confirm = (index: number): Promise<Answer> =>
    at(index).api.post('/v1/auth/second-factor/totp/confirm', { token: person.token, body });
  const answers = await Promise.all(fifty.map(confirm));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  // whoever has waited too long for the others is told so
  const refusals = answers.filter(({ status }) => status !== 200).map(({ body }) => body.code);
  for (const code of refusals) expect(['second-factor-exists', 'unavailable']).toContain(code);
});

test('fifty uses of one code on two replicas: one is good, of an app or for recovery', async () => {
  const person = await newPersonWithTotp(at(0));
  for (const code of [codeOf(person.secret), person.recoveryCodes[0] ?? '']) {
    const used = await Promise.all(fifty.map((index) => useCode(at(index), person, code)));
    expect(used.filter((kind) => kind !== undefined)).toHaveLength(1);
  }
});

test('ten beginnings at once on two replicas leave one secret, which one of them got', async () => {
  const person = await newPerson(at(0));
  const secrets = await Promise.all(fifty.slice(0, 10).map((index) => startTotp(at(index), person)));
  const confirm = (secret: string): Promise<Answer> =>
    at(0).api.post('/v1/auth/second-factor/totp/confirm', { token: person.token, body: { code: codeOf(secret) } });
  const outcomes: string[] = [];
  for (const secret of secrets) {
    const { status, body } = await confirm(secret);
    outcomes.push(status === 200 ? 'confirmed' : body.code);
  }
  expect(outcomes.filter((outcome) => outcome === 'confirmed')).toHaveLength(1);
});

test('a factor that was taken away on one replica is gone on the other', async () => {
  const person = await newPersonWithTotp(at(0));
  const { token } = await signInAdmin(at(0));
  expect((await at(0).api.delete(`/v1/users/${person.id}/second-factor`, { token })).status).toBe(204);
  expect(await useCode(at(1), person, codeOf(person.secret))).toBeUndefined();
  expect((await at(1).api.get('/v1/auth/second-factor', { token: person.token })).body.factors).toEqual([]);
});
