import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';

import { importPrivateKey, importPublicKey, type RingKey } from './key-ring.js';
import { type PublicJwk, SigningKeyEntity } from './signing-key.entity.js';

const signingKeysLock = 0x6b657973;

/** Signing keys at rest: public halves in the clear, private halves sealed. */
@Injectable()
export class SigningKeysRepository {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly master: MasterKey,
  ) {}

  /** Keys that are not retired, oldest first. @throws WrongMasterKeyError */
  async findTrusted(em: SqlEntityManager = this.em.fork()): Promise<RingKey[]> {
    const rows = await em.find(SigningKeyEntity, { retiredAt: null }, { orderBy: { signsFrom: 'asc' } });
    return rows.map((row) => ({
      id: row.id,
      publicJwk: row.publicJwk,
      publicKey: importPublicKey(row.publicJwk),
      privateKey: importPrivateKey(this.master.open(Buffer.from(row.sealedPrivateKey), sealContext(row.id))),
      signsFromMs: row.signsFrom.getTime(),
    }));
  }

  /** Replicas that want a key at the same time take turns: look again under the lock before adding. */
  async lock(em: SqlEntityManager): Promise<void> {
    await em.execute('select pg_advisory_xact_lock(?)', [signingKeysLock]);
  }

  async add(em: SqlEntityManager, signsFrom: Date): Promise<string> {
    const id = randomUUID();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
    await em.insert(SigningKeyEntity, {
      id,
      publicJwk,
      sealedPrivateKey: this.master.seal(pkcs8, sealContext(id)),
      signsFrom,
    });
    return id;
  }
}

const sealContext = (id: string): string => `signing-key:${id}`;
