import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';
import { Sql, type Statement, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';

import type { Attempt } from './attempt.js';

const keptSeconds = 86_400;
/** After this a killed replica's attempt may be made again; a slow one that comes back late is rolled back. */
const leaseSeconds = 15;
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
const find: Statement = { text: 'select fingerprint, answer from idempotency_keys where id = $1' };
const release: Statement = {
  text: 'delete from idempotency_keys where id = $1 and attempt = $2 and answer is null',
};
const keepAnswer = `update idempotency_keys set answer = ?, subject = ? where id = ? and attempt = ? returning 1`;

const inUse = new AppError('idempotency-key-in-use', { headers: { 'retry-after': '1' } });

type Row = { readonly fingerprint: Uint8Array; readonly answer: Uint8Array | null };

/** Keeps an answer in the transaction that makes it true; `subject` is the user that it is about, if any. */
export type Keep<Answer> = (em: SqlEntityManager, answer: Answer, subject?: string) => Promise<void>;

/**
 * Requests that may be sent again (draft-ietf-httpapi-idempotency-key-header): what was done once is not done twice,
 * on any replica, also if it died in between. Only successes are kept: what was refused has done nothing.
 */
@Injectable()
export class Idempotency implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly master: MasterKey,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerOutlived({
      table: 'idempotency_keys',
      condition: 'created_at < now() - make_interval(secs => ?)',
      values: [keptSeconds],
    });
  }

  /**
   * Does the work, or gives the answer of the attempt that did.
   * @param work must call `keep` in its transaction, with what it gives back: as JSON it must come to the same.
   * @throws AppError `idempotency-key-reused` under another body; `idempotency-key-in-use` if the first is still at it
   */
  async run<Answer>(attempt: Attempt | undefined, work: (keep: Keep<Answer>) => Promise<Answer>): Promise<Answer> {
    if (!attempt) return work(async () => undefined);
    const [id, fingerprint] = [this.master.mac('idempotency-key', attempt.name), this.#fingerprintOf(attempt)];
    const box = new MasterKey(this.master.mac('idempotency-answer', attempt.name));
    const holder = randomUUID();
    const kept = await this.#claim({ id, fingerprint, holder });
    if (kept) {
      attempt.markReplayed();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this attempt's own kind of answer is kept under its route
      return JSON.parse(box.open(kept, 'idempotency-answer').toString()) as Answer;
    }
    try {
      return await work(async (em, answer, subject) => {
        const sealed = box.seal(Buffer.from(JSON.stringify(answer)), 'idempotency-answer');
        const rows = await em.execute<unknown[]>(keepAnswer, [sealed, subject ?? null, id, holder]);
        if (rows.length === 0) throw inUse;
      });
    } catch (error) {
      // if this fails too, the lease ends it
      await this.sql.rows(release, [id, holder]).catch(() => undefined);
      throw error;
    }
  }

  #fingerprintOf({ name, body }: Attempt): Buffer {
    return this.master.mac('idempotency-body', `${name}\n${body}`);
  }

  /** @returns the answer that is kept, or undefined when the work is ours to do */
  async #claim(claimed: { id: Buffer; fingerprint: Buffer; holder: string }): Promise<Buffer | undefined> {
    const { id, fingerprint, holder } = claimed;
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(pollMs)) {
      // oxlint-disable-next-line no-await-in-loop -- each look follows from the one before
      if (await this.sql.row(claim, [id, fingerprint, holder])) return undefined;
      // oxlint-disable-next-line no-await-in-loop
      const row = await this.sql.row<Row>(find, [id]);
      // gone since: the first attempt failed, and the next round claims
      if (!row) continue;
      if (!fingerprint.equals(row.fingerprint)) throw new AppError('idempotency-key-reused');
      if (row.answer) return Buffer.from(row.answer);
    }
    throw inUse;
  }
}
