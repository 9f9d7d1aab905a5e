import type { SqlEntityManager } from '@mikro-orm/sql';

import { AppError } from '#libs/platform/errors';

import type { AnswerSeal } from './answer-seal.js';

/** The first attempt is still at it, or somebody else has taken over what took too long. */
export const inUse = (): AppError => new AppError('idempotency-key-in-use', { headers: { 'retry-after': '1' } });

/** Who holds the row of a key. */
export type Holding = { readonly id: Buffer; readonly holder: string };

const sets = (at: readonly string[]): string =>
  `update idempotency_keys set fingerprint = ${at[0]}, answer = ${at[1]}, subject = ${at[2]}`;
const isHeld = (at: readonly string[]): string => `id = ${at[3]} and attempt = ${at[4]}`;

/**
 * The UPDATE of a `Claim` for statements that keep the answer with rows of their own in one round trip: once if `from`
 * has a row, and not at all when the claim is lost. Its five parameters begin at `firstParameter`.
 */
export function keepAnswer({ from, firstParameter }: { from: string; firstParameter: number }): string {
  const at = ['bytea', 'bytea', 'uuid', 'bytea', 'uuid'].map((type, index) => `$${firstParameter + index}::${type}`);
  return `${sets(at)} from ${from} where ${isHeld(at)} returning 1`;
}

const questionMarks = ['?', '?', '?', '?', '?'];
const keep = `${sets(questionMarks)} where ${isHeld(questionMarks)} returning 1`;

/**
 * The right to do what a key stands for. Who has it must keep the answer in the transaction that makes it true: as JSON
 * it must come to the same. `subject` is the user that the answer is about, if any.
 */
export class Claim<Answer> {
  constructor(
    private readonly holding: Holding,
    private readonly seal: AnswerSeal<Answer>,
  ) {}

  /** @throws AppError `idempotency-key-in-use` when the claim is lost: the transaction must not commit */
  async keep(em: SqlEntityManager, answer: Answer, subject?: string): Promise<void> {
    const rows = await em.execute<unknown[]>(keep, [...this.values(answer, subject)]);
    if (rows.length === 0) throw inUse();
  }

  /** The five values that a `keepAnswer` takes. */
  values(answer: Answer, subject?: string): readonly unknown[] {
    const { id, holder } = this.holding;
    return [this.seal.fingerprint, this.seal.seal(answer), subject ?? null, id, holder];
  }
}
