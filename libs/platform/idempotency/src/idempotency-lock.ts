import type { SqlEntityManager } from '@mikro-orm/sql';

import type { Sql } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import type { AnswerSeal, KeptRow } from './answer-seal.js';
import { keep, keepInTransaction, release, renew } from './idempotency.sql.js';
import type { IdempotentRequest } from './idempotent-request.js';

const renewEveryMs = 4_000;

/** The first request is not done yet, or another one has taken over what took too long. */
export const inUse = (): AppError => new AppError('idempotency-key-in-use', { headers: { 'retry-after': '1' } });

/** Who has the lease on the row `keyId`. */
export type LeaseOwner = { readonly keyId: Buffer; readonly ownerId: string };

type SealFor<Answer> = (digest: string) => AnswerSeal<Answer>;

/**
 * The right to do what a key stands for. Keep the answer in the transaction that makes it true; it
 * is stored as JSON. `subject` is the user that it is about, if any.
 */
export class IdempotencyLock<Answer> {
  constructor(
    private readonly owner: LeaseOwner,
    private readonly seal: AnswerSeal<Answer>,
  ) {}

  /** @throws AppError `idempotency-key-in-use` when the lock was lost: do not commit then */
  async keep(em: SqlEntityManager, answer: Answer, subject?: string): Promise<void> {
    const rows = await em.execute<unknown[]>(keepInTransaction, [...this.values(answer, subject)]);
    if (rows.length === 0) throw inUse();
  }

  /** The five values that a `keepAnswer` takes. */
  values(answer: Answer, subject?: string): readonly unknown[] {
    const { keyId, ownerId } = this.owner;
    return [this.seal.fingerprint, this.seal.seal(answer), subject ?? null, keyId, ownerId];
  }
}

/** A lock for long work, renewed until `end`. The digest of the body is known only then. */
export class Lease<Answer> {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly sql: Sql,
    private readonly owner: LeaseOwner,
    private readonly sealFor: SealFor<Answer>,
  ) {
    this.#timer = setInterval(() => void this.#renew(), renewEveryMs).unref();
  }

  /** Aborts with `idempotency-key-in-use` when another request has taken over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws AppError `idempotency-key-in-use` when the lock was lost */
  async keep(digest: string, answer: Answer): Promise<void> {
    const lock = new IdempotencyLock(this.owner, this.sealFor(digest));
    if (!(await this.sql.row(keep, lock.values(answer)))) throw inUse();
  }

  /** Frees the key when no answer was kept. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.sql.rows(release, [this.owner.keyId, this.owner.ownerId]);
  }

  async #renew(): Promise<void> {
    try {
      if (!(await this.sql.row(renew, [this.owner.keyId, this.owner.ownerId]))) this.#lost.abort(inUse());
    } catch {
      // The next renewal tries again. While the database is away, nobody else gets the lock either.
    }
  }
}

/** The answer that an earlier request has kept. */
export class KeptAnswer<Answer> {
  constructor(
    private readonly row: KeptRow,
    private readonly sealFor: SealFor<Answer>,
    private readonly request: IdempotentRequest,
  ) {}

  /** @throws AppError `idempotency-key-reused` when it was kept for another body */
  open(digest: string): Answer {
    const answer = this.sealFor(digest).open(this.row);
    this.request.markReplayed();
    return answer;
  }
}
