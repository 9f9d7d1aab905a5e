import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

import { ecdsa, encode, type Good, joined, signed } from './tokens.js';

/** How a stranger, or a careless issuer, makes a token of a good one. */
export type Attack = readonly [name: string, make: (good: Good) => string];

const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const attackerJwk = attacker.publicKey.export({ format: 'jwk' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;

const without = ({ header }: Good, member: string): object => ({ ...header, [member]: undefined });

/** Signed with HMAC, with something that everybody can know as the secret. */
const hmac = (good: Good, secret: string | Buffer, header: object = {}): string => {
  const input = joined(encode({ ...good.header, alg: 'HS256', ...header }), good.body);
  return joined(input, createHmac('sha256', secret).update(input).digest('base64url'));
};
const algorithm = (good: Good, alg: string, make: (input: Buffer) => Buffer): string => {
  const input = joined(encode({ ...good.header, alg }), good.body);
  return joined(input, encode(make(Buffer.from(input))));
};
const unsigned = (good: Good, alg: string, signature = ''): string =>
  joined(encode({ ...good.header, alg }), encode({ ...good.claims, roles: ['admin'] }), signature);

export const algorithmAttacks: readonly Attack[] = [
  ...['none', 'None', 'NONE', 'nOnE', '', 'none '].map((alg): Attack => [
    `alg ${JSON.stringify(alg)} and no signature`,
    (good) => unsigned(good, alg),
  ]),
  ['alg none with the old signature', (good) => unsigned(good, 'none', good.signature)],
  ['alg none without the last dot', (good) => unsigned(good, 'none').slice(0, -1)],
  ['no alg', (good) => joined(encode(without(good, 'alg')), good.body, good.signature)],
  ['HS256 over the public key as PEM', (good) => hmac(good, good.publicKey.export({ format: 'pem', type: 'spki' }))],
  ['HS256 over the public key as DER', (good) => hmac(good, good.publicKey.export({ format: 'der', type: 'spki' }))],
  ['HS256 over the public key as JWK', (good) => hmac(good, JSON.stringify(good.publicKey.export({ format: 'jwk' })))],
  ['HS256 over the kid', (good) => hmac(good, String(good.header['kid']))],
  ['HS256 over nothing', (good) => hmac(good, '')],
  ['HS256 over the empty file that kid names', (good) => hmac(good, '', { kid: '../../../../dev/null' })],
  [
    'ES384 with our key',
    (good) => algorithm(good, 'ES384', (input) => ecdsa(String(input), good.privateKey, 'sha384')),
  ],
  ['ES384 with its own curve', (good) => algorithm(good, 'ES384', (input) => ecdsa(String(input), p384, 'sha384'))],
  ['ES256K', (good) => algorithm(good, 'ES256K', (input) => ecdsa(String(input), secp256k1))],
  ['EdDSA', (good) => algorithm(good, 'EdDSA', (input) => sign(null, input, ed25519))],
  ['RS256', (good) => algorithm(good, 'RS256', (input) => sign('sha256', input, rsa))],
  [
    'es256 in small letters with our key',
    (good) => signed({ ...good.header, alg: 'es256' }, good.claims, good.privateKey),
  ],
  ['alg as a list', (good) => signed({ ...good.header, alg: ['ES256'] }, good.claims, good.privateKey)],
];

/**
 * Headers that would choose the key; each signed with the attacker's, `kid`
 * and `jwk` tricks with ours too.
 */
export const keyAttacks = (jku: string): readonly Attack[] => {
  const certificate = attacker.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const headers: [string, object][] = [
    ['another key', {}],
    ['jwk', { jwk: attackerJwk }],
    ['jwk and its kid', { jwk: { ...attackerJwk, kid: 'mine' }, kid: 'mine' }],
    ['x5c', { x5c: [certificate] }],
    ['jku', { jku }],
    ['x5u', { x5u: jku }],
    ['an unknown kid', { kid: randomUUID() }],
  ];
  const kids: [string, unknown][] = [
    ['missing', undefined],
    ['null', null],
    ['a number', 1],
    ['true', true],
    ['an object', {}],
    ['empty', ''],
    ['a path', '../../../../etc/passwd'],
    ['SQL', "x' union select '1' --"],
    ['a member of Object', '__proto__'],
    ['4,000 characters long', 'a'.repeat(4_000)],
  ];
  const ours: [string, (good: Good) => object][] = [
    ...kids.map(([name, kid]): [string, () => object] => [`a kid that is ${name}`, () => ({ kid })]),
    ['a kid in a list', ({ header }) => ({ kid: [header['kid']] })],
    ['a kid in capitals', ({ header }) => ({ kid: String(header['kid']).toUpperCase() })],
    ['a kid with a space', ({ header }) => ({ kid: `${String(header['kid'])} ` })],
    ['jwk of our own key', ({ publicKey }) => ({ jwk: publicKey.export({ format: 'jwk' }) })],
  ];
  return [
    ...headers.map(([name, header]): Attack => [
      `${name}, signed by a stranger`,
      (good) => signed({ ...good.header, ...header }, good.claims, attacker.privateKey),
    ]),
    ...ours.map(([name, header]): Attack => [
      `${name}, signed by us`,
      (good) => signed({ ...good.header, ...header(good) }, good.claims, good.privateKey),
    ]),
  ];
};

/** Signed by our own key: strict all the same, since we never issue them. */
export const headerAttacks: readonly Attack[] = [
  ...Object.entries({
    'crit that names exp': { crit: ['exp'] },
    'an empty crit': { crit: [] },
    'b64 false': { b64: false, crit: ['b64'] },
    zip: { zip: 'DEF' },
    cty: { cty: 'JWT' },
    enc: { enc: 'A256GCM' },
    'a member of its own': { admin: true },
    'no typ': { typ: undefined },
    'typ JWT': { typ: 'JWT' },
    'typ in capitals': { typ: 'AT+JWT' },
    'typ with application/': { typ: 'application/at+jwt' },
    'typ of a logout token': { typ: 'logout+jwt' },
    'typ in a list': { typ: ['at+jwt'] },
  }).map(([name, header]): Attack => [
    `a header with ${name}`,
    (good) => signed({ ...good.header, ...header }, good.claims, good.privateKey),
  ]),
  ...['null', '[]', '"ES256"', '', '{', '{"alg":"ES256","typ":"at+jwt"}'].map((text): Attack => [
    `a header that is ${text || 'empty'}`,
    (good) => signed(text, good.claims, good.privateKey),
  ]),
  [
    'alg twice, the last one none',
    (good) => signed(JSON.stringify(good.header).replace(/}$/, ',"alg":"none"}'), good.claims, good.privateKey),
  ],
  [
    'alg twice, with the old signature',
    (good) => joined(encode(`{"alg":"none",${JSON.stringify(good.header).slice(1)}`), good.body, good.signature),
  ],
];
