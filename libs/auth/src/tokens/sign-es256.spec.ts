import { createVerify, generateKeyPairSync } from 'node:crypto';

import { decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, test } from 'vitest';

import { signEs256 } from './sign-es256.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'a' };

test('another library verifies the token and reads header and claims from it', async () => {
  const token = signEs256(header, { sub: 'Zoë', n: 1 }, privateKey);
  expect(decodeProtectedHeader(token)).toEqual(header);
  expect((await jwtVerify(token, publicKey)).payload).toEqual({ sub: 'Zoë', n: 1 });
});

// one in 256 has a number that ASN.1 writes shorter, half of them one that it writes longer
test('each of 3,000 signatures has 64 bytes and is good', () => {
  for (let round = 0; round < 3_000; round++) {
    const token = signEs256(header, { round }, privateKey);
    const [, , encoded = ''] = token.split('.');
    const signature = Buffer.from(encoded, 'base64url');
    const verifier = createVerify('sha256').update(token.slice(0, -encoded.length - 1));
    const isGood = verifier.verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    expect([signature.length, isGood], token).toEqual([64, true]);
  }
});
