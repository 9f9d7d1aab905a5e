import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { byPages, Sql, Sweeper } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';
import { type MacKey, MacKeys } from '#libs/platform/sealed-keys';

import { AnswerSeal, type KeptRow, type SealKeys } from './answer-seal.js';
import { IdempotencyLock, inUse, KeptAnswer, Lease, type LeaseOwner } from './idempotency-lock.js';
import { eraseAboutUser, expired, find, keptSeconds, lock, pageAboutUser, release } from './idempotency.sql.js';
import type { IdempotentRequest } from './idempotent-request.js';

/** How long a retry waits for the first request. */
const waitMs = 8_000;
const pollMs = 40;
/** The fingerprint while the body is still being read. */
const unknownBody = Buffer.alloc(0);

type Keys = SealKeys & { readonly id: MacKey };
type Row = { readonly fingerprint: Uint8Array; readonly answer: Uint8Array | null };

/**
 * Makes requests safe to send again (draft-ietf-httpapi-idempotency-key-header): what was done is
 * not done twice, on any replica, also when one died meanwhile. Refusals are not kept.
 */
@Injectable()
export class Idempotency implements OnModuleInit {
  #keys: Keys | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly macKeys: MacKeys,
    private readonly sweeper: Sweeper,
    private readonly personalData: PersonalData,
  ) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    // These do not change with the master key: else a retry on a replica with another master key
    // would do the request twice.
    this.#keys = {
      id: await this.macKeys.get('idempotency-key'),
      body: await this.macKeys.get('idempotency-body'),
      answer: await this.macKeys.get('idempotency-answer'),
    };
    this.sweeper.registerRetention({ table: 'idempotency_keys', condition: expired, values: [keptSeconds] });
    // Answers are sealed under keys that only clients have: an export can say only that they exist.
    this.personalData.register({
      name: 'sealedAnswers',
      references: ['idempotency_keys.subject'],
      export: (userId) => this.#answersAbout(userId),
      erase: async (em, userId) => {
        await em.execute(eraseAboutUser, [userId]);
      },
    });
  }

  /**
   * Does the work, or gives the answer of the earlier request that did it.
   * @param work keeps its answer with the lock, in its transaction; there is none without a key
   * @throws AppError `idempotency-key-reused` for another body; `idempotency-key-in-use` when the
   *   first request is not done within 8 s
   */
  async run<Answer>(
    request: IdempotentRequest | undefined,
    work: (lock: IdempotencyLock<Answer> | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    if (!request) return work(undefined);
    const [owner, seal] = [this.#ownerFor(request), new AnswerSeal<Answer>(this.#loaded, request)];
    const kept = await this.#lock(owner, seal);
    if (kept) {
      await request.callerNow();
      request.markReplayed();
      return seal.open(kept);
    }
    try {
      await request.callerNow();
      return await work(new IdempotencyLock(owner, seal));
    } catch (error) {
      // When this fails too, the lease expires.
      await this.sql.rows(release, [owner.keyId, owner.ownerId]).catch(() => undefined);
      throw error;
    }
  }

  /**
   * For long work on a body that is read meanwhile: the right to do it, or the answer of the
   * earlier request that did it, to be opened when the body was read.
   * @throws AppError `idempotency-key-in-use` when the first request is not done within 8 s
   */
  async begin<Answer>(request: IdempotentRequest): Promise<Lease<Answer> | KeptAnswer<Answer>> {
    const owner = this.#ownerFor(request);
    const sealFor = (digest: string): AnswerSeal<Answer> =>
      new AnswerSeal(this.#loaded, { ...request, body: `${request.body}\n${digest}` });
    const kept = await this.#lock(owner, undefined);
    return kept ? new KeptAnswer(kept, sealFor, request) : new Lease(this.sql, owner, sealFor);
  }

  get #loaded(): Keys {
    if (!this.#keys) throw new Error('Idempotency is not initialised yet');
    return this.#keys;
  }

  #ownerFor({ name }: IdempotentRequest): LeaseOwner {
    return { keyId: this.#loaded.id.mac(name), ownerId: randomUUID() };
  }

  /** @returns what an earlier request has kept, or undefined when the lock is ours */
  async #lock({ keyId, ownerId }: LeaseOwner, seal: AnswerSeal<unknown> | undefined): Promise<KeptRow | undefined> {
    const values = [keyId, seal?.fingerprint ?? unknownBody, ownerId];
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(pollMs)) {
      if (await this.sql.row(lock, values)) return undefined;
      const row = await this.sql.row<Row>(find, [keyId]);
      // The first request has failed meanwhile: the next round takes the lock.
      if (!row) continue;
      seal?.assertSame(row.fingerprint);
      if (row.answer) return { ...row, answer: row.answer };
    }
    throw inUse();
  }

  async *#answersAbout(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...about } of byPages(this.sql, pageAboutUser, userId)) yield about;
  }
}
