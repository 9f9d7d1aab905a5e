import { describe, expect, test } from 'vitest';

import { SecondFactorsService } from '../../libs/auth/src/second-factor/second-factors.service.js';
import { newPerson } from '../support/people.js';
import { codeOf, newPersonWithTotp, startTotp, useCode, wrongCodeOf } from '../support/second-factors.js';
import { useGatehouse } from '../support/use-gatehouse.js';

const gatehouse = useGatehouse();
const factorsOf = ({ id }: { id: string }): Promise<readonly string[]> =>
  gatehouse.app.get(SecondFactorsService).factorsOf(id);

describe('a code of an app', () => {
  test('that has confirmed the factor is not good again, and one of the next step is', async () => {
    const person = await newPerson(gatehouse);
    const secret = await startTotp(gatehouse, person);
    const code = codeOf(secret);
    await gatehouse.api.post('/v1/auth/second-factor/totp/confirm', { token: person.token, body: { code } });
    expect(await useCode(gatehouse, person, code)).toBeUndefined();
    expect(await useCode(gatehouse, person, codeOf(secret, 1))).toBe('totp');
  });

  test('is good once, and no older one is good after it', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const [now, next] = [codeOf(person.secret), codeOf(person.secret, 1)];
    expect(await useCode(gatehouse, person, next)).toBe('totp');
    expect(await useCode(gatehouse, person, next)).toBeUndefined();
    expect(await useCode(gatehouse, person, now)).toBeUndefined();
  });

  test('used by fifty at once is good for one of them', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const code = codeOf(person.secret);
    const used = await Promise.all(Array.from({ length: 50 }, () => useCode(gatehouse, person, code)));
    expect(used.filter((kind) => kind !== undefined)).toEqual(['totp']);
  });

  test("of somebody else, of a wrong number or of nobody's is not good", async () => {
    const [ada, eve] = [await newPersonWithTotp(gatehouse), await newPersonWithTotp(gatehouse)];
    expect(await useCode(gatehouse, ada, codeOf(eve.secret))).toBeUndefined();
    expect(await useCode(gatehouse, ada, wrongCodeOf(ada.secret))).toBeUndefined();
    expect(await useCode(gatehouse, { id: '0190a6d4-7f3a-7c8b-9d1e-2f3a4b5c6d7e' }, '123456')).toBeUndefined();
  });
});

describe('a recovery code', () => {
  test('is good once, in any case, with or without hyphen and spaces', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const [one = '', two = '', three = '', ...others] = person.recoveryCodes;
    expect(await useCode(gatehouse, person, one.toUpperCase())).toBe('recovery-code');
    expect(await useCode(gatehouse, person, two.replace('-', ''))).toBe('recovery-code');
    expect(await useCode(gatehouse, person, ` ${three.replace('-', ' - ')} `)).toBe('recovery-code');
    for (const used of [one, two, three]) expect(await useCode(gatehouse, person, used)).toBeUndefined();
    for (const code of others) expect(await useCode(gatehouse, person, code)).toBe('recovery-code');
    expect(await factorsOf(person)).toEqual(['totp']);
  });

  test('used by fifty at once is good for one of them', async () => {
    const person = await newPersonWithTotp(gatehouse);
    const [code = ''] = person.recoveryCodes;
    const used = await Promise.all(Array.from({ length: 50 }, () => useCode(gatehouse, person, code)));
    expect(used.filter((kind) => kind !== undefined)).toEqual(['recovery-code']);
  });

  test("of somebody else is not good, and stays the other's", async () => {
    const [ada, eve] = [await newPersonWithTotp(gatehouse), await newPersonWithTotp(gatehouse)];
    const [code = ''] = eve.recoveryCodes;
    expect(await useCode(gatehouse, ada, code)).toBeUndefined();
    expect(await useCode(gatehouse, eve, code)).toBe('recovery-code');
  });
});

test('what a login may be finished with is nothing, or an app and recovery codes', async () => {
  const person = await newPerson(gatehouse);
  expect(await factorsOf(person)).toEqual([]);
  await startTotp(gatehouse, person);
  expect(await factorsOf(person)).toEqual([]);
  expect(await factorsOf(await newPersonWithTotp(gatehouse))).toEqual(['totp', 'recovery-code']);
});
