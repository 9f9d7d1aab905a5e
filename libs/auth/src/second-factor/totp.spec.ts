import { describe, expect, test } from 'vitest';

import { hotp, newTotpSecret, stepOfCode, toBase32, totp } from './totp.js';

/** The secret of the vectors of both RFCs. */
const secret = Buffer.from('12345678901234567890');

describe('RFC 4226 appendix D', () => {
  test.each([
    [0, '755224'],
    [1, '287082'],
    [2, '359152'],
    [3, '969429'],
    [4, '338314'],
    [5, '254676'],
    [6, '287922'],
    [7, '162583'],
    [8, '399871'],
    [9, '520489'],
  ])('the value of counter %i is %s', (counter, value) => {
    expect(hotp(secret, counter)).toBe(value);
  });
});

describe('RFC 6238 appendix B', () => {
  test.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at %i s the value is %s', (seconds, value) => {
    expect(totp(secret, seconds * 1_000, 8)).toBe(value);
    expect(totp(secret, seconds * 1_000)).toBe(value.slice(2));
  });
});

describe('a code', () => {
  const now = 1_111_111_111_000;
  const step = 37_037_037;
  const at = (steps: number): string => totp(secret, now + steps * 30_000);

  test.each([
    [-2, undefined],
    [-1, step - 1],
    [0, step],
    [1, step + 1],
    [2, undefined],
  ])('of %i steps from now is of step %s', (steps, found) => {
    expect(stepOfCode(secret, at(steps), { now, usedStep: 0 })).toBe(found);
  });

  test('of a step that was used, or of an older one, is not taken', () => {
    expect(stepOfCode(secret, at(0), { now, usedStep: step })).toBeUndefined();
    expect(stepOfCode(secret, at(-1), { now, usedStep: step })).toBeUndefined();
    expect(stepOfCode(secret, at(1), { now, usedStep: step })).toBe(step + 1);
  });

  test('of another secret, or of another length, is not taken', () => {
    expect(stepOfCode(newTotpSecret(), at(0), { now, usedStep: 0 })).toBeUndefined();
    for (const code of ['', at(0).slice(1), `0${at(0)}`, at(0).slice(0, 5)]) {
      expect(stepOfCode(secret, code, { now, usedStep: 0 }), code).toBeUndefined();
    }
  });
});

describe('base32', () => {
  // RFC 4648 §10, without padding
  test.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('of "%s" is "%s"', (text, encoded) => {
    expect(toBase32(Buffer.from(text))).toBe(encoded);
  });

  test('of a new secret has 32 letters, and no two are alike', () => {
    const [one, other] = [toBase32(newTotpSecret()), toBase32(newTotpSecret())];
    expect(one).toMatch(/^[A-Z2-7]{32}$/);
    expect(one).not.toBe(other);
  });
});
