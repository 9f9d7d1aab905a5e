import type { Attack } from './jws-attacks.js';
import { nowSeconds, signed, withClaims } from './tokens.js';

const claim = (name: string, text: (now: number) => string): Attack => [
  `${name} ${text(0)}`,
  (good) => {
    const claims = JSON.stringify({ ...good.claims, [name]: '*' });
    return signed(good.header, claims.replace('"*"', text(nowSeconds())), good.privateKey);
  },
];

/** Signed by our own key, with claims that we never issue. */
export const claimAttacks: readonly Attack[] = [
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'sid', 'client_id', 'roles', 'gen'].map((name): Attack => [
    `no ${name}`,
    (good) => withClaims(good, { [name]: undefined }),
  ]),
  ...['"https://elsewhere.test"', '["http://gatehouse.test"]', 'null', '""', '"http://gatehouse.test/"'].flatMap(
    (text) => [claim('iss', () => text), claim('aud', () => text)],
  ),
  claim('aud', () => '["http://elsewhere.test","http://gatehouse.test"]'),
  ...['1e400', '-1', '0', 'null', 'true', '[]', '9007199254740993'].map((text) => claim('exp', () => text)),
  claim('exp', (now) => `"${now + 600}"`),
  claim('exp', (now) => `${now + 600}.5`),
  claim('exp', (now) => `${now}`),
  claim('exp', (now) => `${now - 1}`),
  ...['1e400', '-1', 'null', '"0"'].map((text) => claim('iat', () => text)),
  claim('iat', (now) => `${now + 0.5}`),
  // from a clock that is a day ahead: it would outlive the revocations of today
  claim('iat', (now) => `${now + 86_400}`),
  claim('nbf', (now) => `${now + 600}`),
  ...['"admin"', '""', 'null', '1', '["a"]'].flatMap((text) => [claim('sub', () => text), claim('jti', () => text)]),
  claim('sid', () => '"current"'),
  ...['"admin"', '[["admin"]]', '{"0":"admin"}', 'null'].map((text) => claim('roles', () => text)),
  ...['-1', '"0"', '0.5', '1e400', 'null'].map((text) => claim('gen', () => text)),
  ...['-1', '"0"', '0.5', '1e400', 'null'].map((text) => claim('auth_time', () => text)),
  ...['null', '[]', '"text"', '{}', '{', ''].map((text): Attack => [
    `a payload that is ${text || 'empty'}`,
    (good) => signed(good.header, text, good.privateKey),
  ]),
];
