import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { SecondFactorsRepository } from './second-factors.repository.js';
import { readTypedCode, type TypedCode } from './typed-code.js';

/** What a code can be of. */
export type CodeKind = TypedCode['kind'];

/** What a login asks of second factors. */
@Injectable()
export class SecondFactorsService {
  constructor(private readonly factors: SecondFactorsRepository) {}

  /** What a login may be finished with; empty when there is no confirmed factor. */
  async factorsOf(userId: string): Promise<readonly CodeKind[]> {
    const found = await this.factors.findKinds(userId);
    if (!found) return [];
    return found.hasRecoveryCodes ? ['totp', 'recovery-code'] : ['totp'];
  }

  /**
   * Uses a code up in the caller's transaction: of uses at once, on whichever replica, one gets it.
   * The caller counts what is wrong and records what was used.
   * @param text as it was typed: 6 digits are of an app, all else is a recovery code
   * @returns what it was; nothing when it is wrong, was used, or there is no confirmed factor
   */
  async verifyWithin(em: SqlEntityManager, userId: string, text: string): Promise<CodeKind | undefined> {
    const { kind, code } = readTypedCode(text);
    const isGood =
      kind === 'totp'
        ? await this.factors.useTotp(em, userId, code)
        : await this.factors.useRecoveryCode(em, userId, code);
    return isGood ? kind : undefined;
  }

  /** Removes every factor and all recovery codes. @returns whether there was a confirmed factor */
  removeWithin(em: SqlEntityManager, userId: string): Promise<boolean> {
    return this.factors.remove(em, userId);
  }
}
