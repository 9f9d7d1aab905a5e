import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { DatabaseClock, Sql } from '#libs/platform/database';

import { FactorKey } from './factor-key.js';
import { findKinds, findTotp, removeCodes, removeFactors, useRecoveryCode, useStep } from './second-factors.sql.js';
import { stepOfCode } from './totp.js';
import { readTypedCode, type TypedCode } from './typed-code.js';

/** What a code can be of. */
export type CodeKind = TypedCode['kind'];

type StoredTotp = { readonly id: string; readonly secret: Uint8Array; readonly usedStep: number };

/** Checks codes of second factors, and uses them up. */
@Injectable()
export class SecondFactorsService {
  constructor(
    private readonly sql: Sql,
    private readonly key: FactorKey,
    private readonly clock: DatabaseClock,
  ) {}

  /** What a login may be finished with; empty when there is no confirmed factor. */
  async factorsOf(userId: string): Promise<readonly CodeKind[]> {
    const found = await this.sql.row<{ hasRecoveryCodes: boolean }>(findKinds, [userId]);
    if (!found) return [];
    return found.hasRecoveryCodes ? ['totp', 'recovery-code'] : ['totp'];
  }

  /**
   * Uses a code up in the caller's transaction: of uses at once, on whichever replica, one gets it.
   * The caller counts what is wrong and records what was used.
   * @param code as it was typed: 6 digits are of an app, all else is a recovery code
   * @returns what it was; nothing when it is wrong, was used, or there is no confirmed factor
   */
  verifyWithin(em: SqlEntityManager, userId: string, code: string): Promise<CodeKind | undefined> {
    const typed = readTypedCode(code);
    return typed.kind === 'totp' ? this.#useTotp(em, userId, typed.code) : this.#useRecovery(em, userId, typed.code);
  }

  /** Removes every factor and all recovery codes. @returns whether there was a confirmed one */
  async removeWithin(em: SqlEntityManager, userId: string): Promise<boolean> {
    const [removed] = await em.execute<{ count: number }[]>(removeFactors, [userId]);
    await em.execute(removeCodes, [userId]);
    return (removed?.count ?? 0) > 0;
  }

  async #useTotp(em: SqlEntityManager, userId: string, code: string): Promise<CodeKind | undefined> {
    const [totp] = await em.execute<StoredTotp[]>(findTotp, [userId]);
    if (!totp) return undefined;
    const secret = this.key.open(totp.id, totp.secret);
    const step = stepOfCode(secret, code, { now: this.clock.nowMs(), usedStep: totp.usedStep });
    if (step === undefined) return undefined;
    const used = await em.execute<unknown[]>(useStep, [step, totp.id, step]);
    return used.length > 0 ? 'totp' : undefined;
  }

  async #useRecovery(em: SqlEntityManager, userId: string, code: string): Promise<CodeKind | undefined> {
    const used = await em.execute<unknown[]>(useRecoveryCode, [this.key.hashOf(userId, code), userId]);
    return used.length > 0 ? 'recovery-code' : undefined;
  }
}
