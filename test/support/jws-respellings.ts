import { randomUUID, sign } from 'node:crypto';

import type { Attack } from './jws-attacks.js';
import { ecdsa, encode, type Good, joined, nowSeconds, signed } from './tokens.js';

/** Order of P-256. */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const bytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const halves = ({ signature }: Good): readonly [r: bigint, s: bigint] => {
  const hex = Buffer.from(signature, 'base64url').toString('hex');
  return [BigInt(`0x${hex.slice(0, 64)}`), BigInt(`0x${hex.slice(64)}`)];
};

const signatures: readonly [string, (good: Good) => Buffer][] = [
  ['empty', () => Buffer.alloc(0)],
  ['all zero (CVE-2022-21449)', () => Buffer.alloc(64)],
  ['all ones', () => Buffer.alloc(64, 0xff)],
  ['with r = 0', (good) => Buffer.concat([bytes(0n), bytes(halves(good)[1])])],
  ['with s = 0', (good) => Buffer.concat([bytes(halves(good)[0]), bytes(0n)])],
  ['with r = n', (good) => Buffer.concat([bytes(n), bytes(halves(good)[1])])],
  ['with s = n', (good) => Buffer.concat([bytes(halves(good)[0]), bytes(n)])],
  ['with r = s = n', () => Buffer.concat([bytes(n), bytes(n)])],
  ['with r and s exchanged', (good) => Buffer.concat([bytes(halves(good)[1]), bytes(halves(good)[0])])],
  ['one byte short', ({ signature }) => Buffer.from(signature, 'base64url').subarray(0, 63)],
  ['one byte long', ({ signature }) => Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)])],
  ['half', ({ signature }) => Buffer.from(signature, 'base64url').subarray(0, 32)],
  ['twice over', ({ signature }) => Buffer.from(signature + signature, 'base64url')],
  ['in DER', ({ head, body, privateKey }) => sign('sha256', Buffer.from(joined(head, body)), privateKey)],
  ['of the header alone', ({ head, privateKey }) => ecdsa(head, privateKey)],
  ['of the payload alone', ({ body, privateKey }) => ecdsa(body, privateKey)],
];

export const signatureAttacks: readonly Attack[] = [
  ...signatures.map(([name, make]): Attack => [
    `a signature that is ${name}`,
    (good) => joined(good.head, good.body, encode(make(good))),
  ]),
  [
    'roles of an administrator',
    (good) => joined(good.head, encode({ ...good.claims, roles: ['admin'] }), good.signature),
  ],
  ['the id of another', (good) => joined(good.head, encode({ ...good.claims, sub: randomUUID() }), good.signature)],
  ['a later exp', (good) => joined(good.head, encode({ ...good.claims, exp: nowSeconds() + 9_000 }), good.signature)],
];

/** The same token in other words. */
export const spellingAttacks: readonly Attack[] = [
  ['without its signature', ({ head, body }) => joined(head, body)],
  ['header and payload exchanged', ({ head, body, signature }) => joined(body, head, signature)],
  ['padded signature', ({ token }) => `${token}==`],
  ['padded header', ({ head, body, signature }) => joined(`${head}=`, body, signature)],
  ['standard alphabet', ({ head, body, signature }) => joined(head, body, `+/${signature.slice(2)}`)],
  ['percent-encoded dots', ({ token }) => token.replaceAll('.', '%2E')],
  ['a space in the signature', ({ token }) => `${token.slice(0, -9)} ${token.slice(-9)}`],
  ['a tab in the payload', ({ head, body, signature }) => joined(head, `\t${body}`, signature)],
  ['a no-break space at the end', ({ token }) => `${token}\u00a0`],
  ['a letter with a diaeresis', ({ token }) => `${token}\u00ff`],
  ['a dot at the end', ({ token }) => `${token}.`],
  ['a dot at the front', ({ token }) => `.${token}`],
  ['dots only', () => '..'],
  ['double quotes', ({ token }) => `"${token}"`],
  ['single quotes', ({ token }) => `'${token}'`],
  ['Bearer twice', ({ token }) => `Bearer ${token}`],
  ['two tokens with a dot', ({ token }) => joined(token, token)],
  ['two tokens with a comma', ({ token }) => `${token},${token}`],
  ['two tokens with a space', ({ token }) => `${token} ${token}`],
  ['two tokens as one', ({ token }) => token + token],
  ['five parts, as JWE has', ({ head, body, signature }) => joined(head, body, signature, body, signature)],
  ['JWE', (good) => joined(encode({ alg: 'dir', enc: 'A256GCM' }), '', encode('iv'), good.body, encode('tag'))],
  ['JSON', ({ head, body, signature }) => JSON.stringify({ protected: head, payload: body, signature })],
  [
    'general JSON',
    ({ head, body, signature }) => JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] }),
  ],
  ['a token in a token', (good) => signed(good.header, good.token, good.privateKey)],
  ['a detached payload', ({ head, signature }) => joined(head, '', signature)],
];

/** The other signature that ECDSA allows for the same text: s taken from the order of the curve. */
export const malleated = (good: Good): string => {
  const [r, s] = halves(good);
  return joined(good.head, good.body, encode(Buffer.concat([bytes(r), bytes(n - s)])));
};

/** The same bytes of the signature: the last character has four bits to spare. */
export function respelt({ token }: Good): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) ^ 1];
}
