import { type CryptoKey, importJWK } from 'jose';

import { isObject } from '../bounded-request.js';
import { type Algorithm, isForAlgorithm, type PublicJwk } from './algorithms.js';

/** A key of the issuer. It is the same object for as long as the issuer publishes the key. */
export type PublicKey = PublicJwk & {
  /** Its public members as text: what tells it from others. */
  readonly text: string;
  /** @throws Error when the members make no key for the algorithm */
  readonly importFor: (algorithm: Algorithm) => Promise<CryptoKey>;
};

const publicMembers = ['kty', 'kid', 'crv', 'alg', 'x', 'y', 'n', 'e'] as const;
const limitKeys = 100;

/**
 * The keys of a JWK set (RFC 7517 §5) that check signatures. Others are left out: symmetric ones,
 * keys for encryption, and what is not known. Private members are not taken in.
 * @throws Error when it is no JWK set
 */
export function readJwkSet(body: unknown): readonly PublicKey[] {
  if (!isObject(body) || !Array.isArray(body['keys'])) throw new Error('The answer is not a JWK set.');
  return body['keys'].slice(0, limitKeys).flatMap((jwk) => toPublicKey(jwk) ?? []);
}

function toPublicKey(jwk: unknown): PublicKey | undefined {
  if (!isObject(jwk) || !isForSignatures(jwk)) return undefined;
  const { kty } = jwk;
  if (kty !== 'EC' && kty !== 'OKP' && kty !== 'RSA') return undefined;
  const members: Partial<Record<string, string>> = {};
  for (const name of publicMembers) {
    const value = jwk[name];
    if (typeof value === 'string') members[name] = value;
  }
  const imported = new Map<Algorithm, Promise<CryptoKey>>();
  return {
    kty,
    kid: members['kid'],
    crv: members['crv'],
    alg: members['alg'],
    text: JSON.stringify(members),
    importFor: (algorithm) => {
      const known = imported.get(algorithm) ?? importKey({ ...members, kty }, algorithm);
      imported.set(algorithm, known);
      return known;
    },
  };
}

async function importKey(jwk: { readonly kty: string }, algorithm: Algorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error('A symmetric key checks no signature.');
  return key;
}

function isForSignatures({ use, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

/** The key of an id for an algorithm; a token without `kid` needs a set where just one fits. */
export function findKey(
  keys: readonly PublicKey[],
  { kid, alg }: { readonly kid: string | undefined; readonly alg: Algorithm },
): PublicKey | undefined {
  const fitting = keys.filter((key) => isForAlgorithm(key, alg) && (kid === undefined || key.kid === kid));
  return kid === undefined && fitting.length > 1 ? undefined : fitting[0];
}
