import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

import type { PublicJwk } from './signing-key.entity.js';

/** A key that is not retired. Times in Unix milliseconds. */
export type RingKey = {
  readonly id: string;
  readonly publicJwk: PublicJwk;
  readonly publicKey: KeyObject;
  /** Opened only for keys that sign now or will. */
  readonly privateKey: KeyObject | undefined;
  readonly signsFromMs: number;
};

/** The keys of a moment, oldest first. Pure: what signs, verifies and is published depends on the time alone. */
export class KeyRing {
  readonly #byId: ReadonlyMap<string, RingKey>;

  constructor(readonly keys: readonly RingKey[]) {
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }

  /** The youngest key whose time has come. */
  signing(nowMs: number): RingKey | undefined {
    return this.keys.findLast((key) => key.signsFromMs <= nowMs);
  }

  verifying(id: string): KeyObject | undefined {
    return this.#byId.get(id)?.publicKey;
  }

  /** JWK set (RFC 7517) of every key that has signed, signs or will sign. */
  jwks(): { keys: (PublicJwk & { kid: string; use: 'sig'; alg: 'ES256' })[] } {
    return {
      keys: this.keys.map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, use: 'sig', alg: 'ES256' })),
    };
  }
}

export const importPublicKey = (jwk: PublicJwk): KeyObject => createPublicKey({ key: { ...jwk }, format: 'jwk' });

export const importPrivateKey = (pkcs8: Buffer): KeyObject =>
  createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
