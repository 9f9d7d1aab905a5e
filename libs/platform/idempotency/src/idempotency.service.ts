import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sql, type Statement, Sweeper } from '#libs/platform/database';
import { type MacKey, MacKeys } from '#libs/platform/sealed-keys';

import { AnswerSeal, type KeptRow, type SealKeys } from './answer-seal.js';
import type { Attempt } from './attempt.js';
import { Claim, type Holding, inUse } from './claim.js';
import { KeptAnswer, Lease, leaseSeconds, release } from './lease.js';

const keptSeconds = 86_400;
const waitMs = 8_000;
const pollMs = 40;

const claim: Statement = {
  text: `insert into idempotency_keys as k (id, fingerprint, attempt, leased_until)
    values ($1, $2, $3, now() + make_interval(secs => ${leaseSeconds}))
    on conflict (id) do update set fingerprint = $2, attempt = $3, answer = null, subject = null, created_at = now(),
      leased_until = now() + make_interval(secs => ${leaseSeconds})
    where (k.answer is null and k.leased_until < now()) or k.created_at < now() - make_interval(secs => ${keptSeconds})
    returning id`,
};
/** Of a claim whose body is still being read. */
const unknownBody = Buffer.alloc(0);
const find: Statement = { text: 'select fingerprint, answer from idempotency_keys where id = $1' };

type Row = { readonly fingerprint: Uint8Array; readonly answer: Uint8Array | null };

/**
 * Requests that may be sent again (draft-ietf-httpapi-idempotency-key-header): what was done once is not done twice,
 * on any replica, also if it died in between. Only successes are kept: what was refused has done nothing.
 */
@Injectable()
export class Idempotency implements OnModuleInit {
  #keys: (SealKeys & { readonly id: MacKey }) | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly macKeys: MacKeys,
    private readonly sweeper: Sweeper,
  ) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    // they do not change with the master key: a retry on a replica with another one would be done twice
    this.#keys = {
      id: await this.macKeys.get('idempotency-key'),
      body: await this.macKeys.get('idempotency-body'),
      answer: await this.macKeys.get('idempotency-answer'),
    };
    this.sweeper.registerRetention({
      table: 'idempotency_keys',
      condition: 'created_at < now() - make_interval(secs => ?)',
      values: [keptSeconds],
    });
  }

  /**
   * Does the work, or gives the answer of the attempt that did.
   * @param work must keep with the claim, in its transaction, what it gives back; without a key there is no claim
   * @throws AppError `idempotency-key-reused` under another body; `idempotency-key-in-use` if the first is still at it
   */
  async run<Answer>(
    attempt: Attempt | undefined,
    work: (claim: Claim<Answer> | undefined) => Promise<Answer>,
  ): Promise<Answer> {
    if (!attempt) return work(undefined);
    const [holding, seal] = [this.#holdingOf(attempt), new AnswerSeal<Answer>(this.#loaded, attempt)];
    const kept = await this.#claim(holding, seal);
    if (kept) {
      await attempt.callerNow();
      attempt.markReplayed();
      return seal.open(kept);
    }
    try {
      await attempt.callerNow();
      return await work(new Claim(holding, seal));
    } catch (error) {
      // if this fails too, the lease ends it
      await this.sql.rows(release, [holding.id, holding.holder]).catch(() => undefined);
      throw error;
    }
  }

  /**
   * For work that takes long over a body that is read meanwhile: the right to do it, or what is kept of the attempt that
   * did, to be opened once the body has been read.
   * @throws AppError `idempotency-key-in-use` if the first is still at it
   */
  async begin<Answer>(attempt: Attempt): Promise<Lease<Answer> | KeptAnswer<Answer>> {
    const holding = this.#holdingOf(attempt);
    const sealFor = (digest: string): AnswerSeal<Answer> =>
      new AnswerSeal(this.#loaded, { ...attempt, body: `${attempt.body}\n${digest}` });
    const kept = await this.#claim(holding, undefined);
    return kept ? new KeptAnswer(kept, sealFor, attempt) : new Lease(this.sql, holding, sealFor);
  }

  get #loaded(): SealKeys & { readonly id: MacKey } {
    if (!this.#keys) throw new Error('Idempotency is not initialised yet');
    return this.#keys;
  }

  #holdingOf({ name }: Attempt): Holding {
    return { id: this.#loaded.id.mac(name), holder: randomUUID() };
  }

  /** @returns what is kept, or undefined when the work is ours to do */
  async #claim({ id, holder }: Holding, seal: AnswerSeal<unknown> | undefined): Promise<KeptRow | undefined> {
    const values = [id, seal?.fingerprint ?? unknownBody, holder];
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(pollMs)) {
      // oxlint-disable-next-line no-await-in-loop -- each look follows from the one before
      if (await this.sql.row(claim, values)) return undefined;
      // oxlint-disable-next-line no-await-in-loop
      const row = await this.sql.row<Row>(find, [id]);
      // gone since: the first attempt failed, and the next round claims
      if (!row) continue;
      seal?.assertSame(row.fingerprint);
      if (row.answer) return { ...row, answer: row.answer };
    }
    throw inUse();
  }
}
