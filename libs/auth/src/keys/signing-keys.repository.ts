import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';

import { type InferEntity, raw, SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { isUuid, MasterKey, WrongMasterKeyError } from '#libs/platform/crypto';
import { lockInTransaction, ReplicaNotifications } from '#libs/platform/database';

import { type PublicJwk, SigningKeyEntity } from './signing-key.entity.js';

/** The topic under which replicas hear that the keys have changed. */
export const keysTopic = 'signing-keys';

/** A key that is not retired. Times in Unix milliseconds. */
export type TrustedKey = {
  readonly id: string;
  readonly publicJwk: PublicJwk;
  readonly publicKey: KeyObject;
  /** Absent when it is sealed under another master key: then the key verifies and does not sign. */
  readonly privateKey: KeyObject | undefined;
  readonly signsFromMs: number;
};

/** Signing keys at rest: public halves in the clear, private halves sealed. */
@Injectable()
export class SigningKeysRepository {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly master: MasterKey,
    private readonly notifications: ReplicaNotifications,
  ) {}

  /** Keys that are not retired, oldest first; without the private half when that does not open. */
  async findTrusted(em: SqlEntityManager = this.em.fork()): Promise<TrustedKey[]> {
    const rows = await em.find(SigningKeyEntity, { retiredAt: null }, { orderBy: { signsFrom: 'asc', id: 'asc' } });
    return rows.map((row) => ({
      id: row.id,
      publicJwk: row.publicJwk,
      publicKey: importPublicKey(row.publicJwk),
      privateKey: this.#open(row),
      signsFromMs: row.signsFrom.getTime(),
    }));
  }

  /**
   * The public key of a token's `kid`, retired or not. As text: an id in capitals is the same UUID,
   * but no `kid` that the guard knows.
   */
  async findPublicKey(id: string): Promise<KeyObject | undefined> {
    const row = await this.em.fork().findOne(SigningKeyEntity, { id });
    return row?.id === id ? importPublicKey(row.publicJwk) : undefined;
  }

  /** No other replica changes keys until the transaction ends. Read them again under the lock. */
  async lock(em: SqlEntityManager): Promise<void> {
    await lockInTransaction(em, 'signingKeys');
  }

  /** Tells every replica with the commit. */
  async announce(em: SqlEntityManager): Promise<void> {
    await this.notifications.publish(em, keysTopic, 'changed');
  }

  /**
   * Adds a key, dated by the database's clock, which is the same for all replicas.
   * @param leadMs how long from now until it signs @returns its id
   */
  async add(em: SqlEntityManager, leadMs: number): Promise<string> {
    const id = randomUUID();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
    await em.insert(SigningKeyEntity, {
      id,
      publicJwk,
      sealedPrivateKey: this.master.seal(pkcs8, sealContext(id)),
      signsFrom: raw(`now() + make_interval(secs => ?)`, [leadMs / 1000]),
    });
    return id;
  }

  async databaseNowMs(em: SqlEntityManager): Promise<number> {
    const [row] = await em.execute<{ ms: number }[]>('select extract(epoch from now())::float8 * 1000 as ms');
    return row?.ms ?? Date.now();
  }

  /** @returns whether there was such a key, not retired yet */
  async retire(em: SqlEntityManager, id: string): Promise<boolean> {
    if (!isUuid(id)) return false;
    return (await em.nativeUpdate(SigningKeyEntity, { id, retiredAt: null }, { retiredAt: raw('now()') })) > 0;
  }

  async remove(em: SqlEntityManager, ids: readonly string[]): Promise<void> {
    await em.nativeDelete(SigningKeyEntity, { id: [...ids] });
  }

  /** Ends every session there is, for `revoke-all`. */
  async deleteSessions(em: SqlEntityManager): Promise<void> {
    await em.execute('delete from sessions');
  }

  /** Seals under today's master key what is sealed under the previous one. @returns how many */
  async reseal(em: SqlEntityManager): Promise<number> {
    const rows = await em.find(SigningKeyEntity, {});
    const outdated = rows.filter(({ sealedPrivateKey }) => !this.master.isCurrent(Buffer.from(sealedPrivateKey)));
    for (const row of outdated) {
      const context = sealContext(row.id);
      row.sealedPrivateKey = this.master.seal(this.master.open(Buffer.from(row.sealedPrivateKey), context), context);
    }
    await em.flush();
    return outdated.length;
  }

  /** Nothing when the key was made on a replica with another master key. */
  #open({ id, sealedPrivateKey }: Pick<SigningKey, 'id' | 'sealedPrivateKey'>): KeyObject | undefined {
    try {
      const pkcs8 = this.master.open(Buffer.from(sealedPrivateKey), sealContext(id));
      return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    } catch (error) {
      if (error instanceof WrongMasterKeyError) return undefined;
      throw error;
    }
  }
}

type SigningKey = InferEntity<typeof SigningKeyEntity>;

const sealContext = (id: string): string => `signing-key:${id}`;

const importPublicKey = (jwk: PublicJwk): KeyObject => createPublicKey({ key: { ...jwk }, format: 'jwk' });
