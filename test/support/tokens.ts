import { type KeyObject, sign } from 'node:crypto';

import { SigningKeysService } from '#libs/auth';

import type { Gatehouse } from './start-gatehouse.js';

type Members = Readonly<Record<string, unknown>>;

/** An access token of the service taken apart, with the key that signed it. */
export type Good = {
  readonly token: string;
  readonly header: Members;
  readonly claims: Members;
  readonly head: string;
  readonly body: string;
  readonly signature: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

/** Takes a token apart; the key is the one that signs now. */
export function takeApart({ app }: Gatehouse, token: string): Good {
  const key = app.get(SigningKeysService).ring.signing(Date.now());
  if (!key?.privateKey) throw new Error('The service has no key to sign with');
  const [head = '', body = '', signature = ''] = token.split('.');
  const { privateKey, publicKey } = key;
  return { token, header: decode(head), claims: decode(body), head, body, signature, privateKey, publicKey };
}

/** base64url of JSON, or of a text or bytes as they are. */
export const encode = (value: unknown): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).toString(
    'base64url',
  );

export const joined = (...parts: readonly string[]): string => parts.join('.');

const decode = (part: string): Members => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** A JWS in the compact form with the ES256 signature of a key. */
export function signed(header: unknown, claims: unknown, privateKey: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${encode(ecdsa(input, privateKey))}`;
}

export const ecdsa = (input: string, key: KeyObject, digest = 'sha256'): Buffer =>
  sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });

/**
 * As the service would have issued it, had it meant these claims: an
 * absent value takes a claim out.
 */
export const withClaims = ({ header, claims, privateKey }: Good, changed: Members): string =>
  signed(header, { ...claims, ...changed }, privateKey);

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
