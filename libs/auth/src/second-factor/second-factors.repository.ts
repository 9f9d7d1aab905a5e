import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { uuidV7 } from '#libs/platform/crypto';
import { byPages, DatabaseClock, type Expired, Sql } from '#libs/platform/database';

import { FactorKey } from './factor-key.js';
import { RecoveryCodeEntity } from './recovery-code.entity.js';
import type { FactorView, SecondFactorView } from './second-factor.schema.js';
import {
  confirmTotp,
  exportCodes,
  exportFactors,
  findKinds,
  findTotp,
  insertPending,
  isAbandoned,
  listFactors,
  lockConfirmed,
  lockForConfirmation,
  markSession,
  removeCodes,
  removeFactors,
  unmarkSessions,
  useRecoveryCode,
  useStep,
} from './second-factors.sql.js';
import { newTotpSecret, stepOfCode } from './totp.js';
import { newRecoveryCodes, toShownCode } from './typed-code.js';

type StoredTotp = { readonly id: string; readonly secret: Uint8Array; readonly usedStep: number };
type ListedFactor = FactorView & Pick<SecondFactorView, 'recoveryCodesLeft'>;

/** What became of the code that is to confirm a secret. */
export type Confirmation = 'confirmed' | 'wrong-code' | 'second-factor-exists' | 'second-factor-not-found';

/** Second factors and recovery codes. Secrets leave it once, when they are made. */
@Injectable()
export class SecondFactorsRepository {
  /** Which rows have outlived their use. */
  readonly expired: Expired = { table: 'second_factors', condition: isAbandoned, values: [] };

  constructor(
    private readonly sql: Sql,
    private readonly key: FactorKey,
    private readonly clock: DatabaseClock,
  ) {}

  findKinds(userId: string): Promise<{ readonly hasRecoveryCodes: boolean } | undefined> {
    return this.sql.row(findKinds, [userId]);
  }

  /** What is in use. */
  async list(userId: string): Promise<SecondFactorView> {
    const rows = await this.sql.rows<ListedFactor>(listFactors, [userId]);
    const factors = rows.map(({ id, kind, createdAt, lastUsedAt }) => ({ id, kind, createdAt, lastUsedAt }));
    return { factors, recoveryCodesLeft: rows[0]?.recoveryCodesLeft ?? 0 };
  }

  /** Uses a code of an app up. @returns whether it was good */
  async useTotp(em: SqlEntityManager, userId: string, code: string): Promise<boolean> {
    const [totp] = await em.execute<StoredTotp[]>(findTotp, [userId]);
    const step = totp && this.#stepOf(totp, code);
    if (step === undefined) return false;
    return (await em.execute<unknown[]>(useStep, [step, totp?.id, step])).length > 0;
  }

  /** Uses a recovery code up. @returns whether it was good */
  async useRecoveryCode(em: SqlEntityManager, userId: string, code: string): Promise<boolean> {
    return (await em.execute<unknown[]>(useRecoveryCode, [this.key.hashOf(userId, code), userId])).length > 0;
  }

  /**
   * A new secret that is to be confirmed, in the place of one that was not.
   * @returns nothing when there is a confirmed one
   */
  async begin(em: SqlEntityManager, userId: string): Promise<Buffer | undefined> {
    const [id, secret] = [uuidV7(), newTotpSecret()];
    const begun = await em.execute<unknown[]>(insertPending, [id, userId, this.key.seal(id, secret)]);
    return begun.length > 0 ? secret : undefined;
  }

  /** Confirms what was begun; the code is used up. Of confirmations at once one succeeds. */
  async confirm(em: SqlEntityManager, userId: string, code: string): Promise<Confirmation> {
    const [totp] = await em.execute<(StoredTotp & { isConfirmed: boolean })[]>(lockForConfirmation, [userId]);
    if (!totp) return 'second-factor-not-found';
    if (totp.isConfirmed) return 'second-factor-exists';
    const step = this.#stepOf(totp, code);
    if (step === undefined) return 'wrong-code';
    await em.execute(confirmTotp, [step, totp.id]);
    return 'confirmed';
  }

  /** Whether there is a confirmed factor; locks it until the transaction ends. */
  async lockConfirmed(em: SqlEntityManager, userId: string): Promise<boolean> {
    return (await em.execute<unknown[]>(lockConfirmed, [userId])).length > 0;
  }

  /** New recovery codes as people see them; those of before are dead. */
  async renewCodes(em: SqlEntityManager, userId: string): Promise<string[]> {
    const codes = newRecoveryCodes();
    await em.execute(removeCodes, [userId]);
    const rows = codes.map((code) => ({ codeHash: this.key.hashOf(userId, code), user: userId }));
    await em.insertMany(RecoveryCodeEntity, rows);
    return codes.map(toShownCode);
  }

  /** From now on tokens of the session say that a second factor was shown. */
  async markSession(em: SqlEntityManager, sessionId: string, userId: string): Promise<void> {
    await em.execute(markSession, [sessionId, userId]);
  }

  /** Removes every factor and all recovery codes. @returns whether there was a confirmed factor */
  async remove(em: SqlEntityManager, userId: string): Promise<boolean> {
    const [removed] = await em.execute<{ count: number }[]>(removeFactors, [userId]);
    await em.execute(removeCodes, [userId]);
    await em.execute(unmarkSessions, [userId]);
    return (removed?.count ?? 0) > 0;
  }

  /** All that is kept of a user's factors, as they may read it. */
  exportFactors(userId: string): AsyncGenerator<{ readonly id: string }> {
    return byPages(this.sql, exportFactors, userId);
  }

  /** That there are codes; what is kept of them is a secret. */
  async *exportCodes(userId: string): AsyncGenerator<Record<string, unknown>> {
    yield* await this.sql.rows<Record<string, unknown>>(exportCodes, [userId]);
  }

  #stepOf({ id, secret, usedStep }: StoredTotp, code: string): number | undefined {
    return stepOfCode(this.key.open(id, secret), code, { now: this.clock.nowMs(), usedStep });
  }
}
