import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

import type { PublicJwk } from './signing-key.entity.js';

/** A key that is not retired. Times in Unix milliseconds. */
export type RingKey = {
  readonly id: string;
  readonly publicJwk: PublicJwk;
  readonly publicKey: KeyObject;
  /** Absent when it is sealed under another master key: then the key verifies and does not sign. */
  readonly privateKey: KeyObject | undefined;
  readonly signsFromMs: number;
};

/** The keys of a moment, oldest first. Pure: which key signs depends on the given time alone. */
export class KeyRing {
  readonly #byId: ReadonlyMap<string, RingKey>;

  constructor(readonly keys: readonly RingKey[]) {
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }

  /**
   * The youngest key whose time has come, or the oldest when none has: a clock may be wrong. Only
   * keys that this replica can open sign.
   */
  signing(nowMs: number): RingKey | undefined {
    const opened = this.keys.filter(({ privateKey }) => privateKey);
    return opened.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? opened[0];
  }

  /** Ids of the keys that this replica cannot open. */
  get sealed(): readonly string[] {
    return this.keys.filter(({ privateKey }) => !privateKey).map(({ id }) => id);
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
