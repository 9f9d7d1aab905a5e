import type { Sql, Statement } from '#libs/platform/database';

import { type AnswerSeal, type KeptRow } from './answer-seal.js';
import type { Attempt } from './attempt.js';
import { Claim, type Holding, inUse, keepAnswer } from './claim.js';

/** After this a killed replica's attempt may be made again; a slow one that comes back late is rolled back. */
export const leaseSeconds = 15;
const renewEveryMs = 4_000;

const renew: Statement = {
  text: `update idempotency_keys set leased_until = now() + make_interval(secs => ${leaseSeconds})
    where id = $1 and attempt = $2 and answer is null returning 1`,
};
export const release: Statement = {
  text: 'delete from idempotency_keys where id = $1 and attempt = $2 and answer is null',
};
const keep: Statement = { text: keepAnswer({ from: '(values (1)) as once (n)', firstParameter: 1 }) };

type SealFor<Answer> = (digest: string) => AnswerSeal<Answer>;

/** A claim to work that takes long; it is renewed until `end`. `digest` is of the body, which is known when it was read. */
export class Lease<Answer> {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly sql: Sql,
    private readonly holding: Holding,
    private readonly sealFor: SealFor<Answer>,
  ) {
    this.#timer = setInterval(() => void this.#renew(), renewEveryMs).unref();
  }

  /** Aborts with `idempotency-key-in-use` when somebody else has taken over, as from a process that stood still. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws AppError `idempotency-key-in-use` when the claim is lost */
  async keep(digest: string, answer: Answer): Promise<void> {
    const claim = new Claim(this.holding, this.sealFor(digest));
    if (!(await this.sql.row(keep, claim.values(answer)))) throw inUse();
  }

  /** Without a kept answer the key is free again. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.sql.rows(release, [this.holding.id, this.holding.holder]);
  }

  async #renew(): Promise<void> {
    try {
      if (!(await this.sql.row(renew, [this.holding.id, this.holding.holder]))) this.#lost.abort(inUse());
    } catch {
      // the next one tries again; while the database is away nobody else can claim either
    }
  }
}

/** The answer of an earlier attempt. */
export class KeptAnswer<Answer> {
  constructor(
    private readonly row: KeptRow,
    private readonly sealFor: SealFor<Answer>,
    private readonly attempt: Attempt,
  ) {}

  /** @throws AppError `idempotency-key-reused` when it was kept for another body */
  open(digest: string): Answer {
    const answer = this.sealFor(digest).open(this.row);
    this.attempt.markReplayed();
    return answer;
  }
}
