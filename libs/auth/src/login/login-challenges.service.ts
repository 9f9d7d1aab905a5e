import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import type { RequestSource } from '#libs/platform/access';
import { digestBytes, randomToken } from '#libs/platform/crypto';
import { byPages, Sql, Sweeper } from '#libs/platform/database';
import { AppError } from '#libs/platform/errors';
import { PersonalData } from '#libs/platform/personal-data';

import { SecondFactorsService } from '../second-factor/second-factors.service.js';
import {
  eraseChallenges,
  findChallenge,
  isGood,
  lifetimeSeconds,
  personalData,
  renewHash,
  useChallenge,
} from './login-challenges.sql.js';

/** A login with the right password that waits for a code. */
export type LoginChallenge = {
  readonly userId: string;
  readonly passwordHash: string;
  /** The service that the login was for, or ours. */
  readonly clientId: string;
  readonly audience: string | null;
};

/** Logins that wait for a code. They are written with the login (`admit`); a used one is gone. */
@Injectable()
export class LoginChallengesService implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly sweeper: Sweeper,
    private readonly personalData: PersonalData,
    private readonly factors: SecondFactorsService,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({
      table: 'login_challenges',
      key: 'token_hash',
      condition: 'created_at < now() - make_interval(secs => ?)',
      values: [lifetimeSeconds],
    });
    this.personalData.register({
      name: 'unfinishedLogins',
      references: ['login_challenges.user_id'],
      export: (userId) => this.#exportOf(userId),
      erase: async (em, userId) => void (await em.execute(eraseChallenges, [userId])),
    });
  }

  /** A challenge that nobody can guess, and what is kept of it. */
  make(): { readonly challenge: string; readonly challengeHash: Buffer } {
    const challenge = randomToken();
    return { challenge, challengeHash: digestBytes(challenge) };
  }

  /** The answer to the right password of somebody whose second factor has to follow. */
  async refusalFor(userId: string, challenge: string): Promise<AppError> {
    const factors = await this.factors.factorsOf(userId);
    return new AppError('second-factor-required', { extensions: { challenge, factors } });
  }

  /** What a challenge is for; it stays good. */
  find(challenge: string, { caller }: RequestSource): Promise<LoginChallenge | undefined> {
    return this.sql.row(findChallenge, [digestBytes(challenge), caller.kind === 'service' ? caller.name : null]);
  }

  /** Whether it is good still. */
  async isGood(em: SqlEntityManager, challenge: string): Promise<boolean> {
    return (await em.execute<unknown[]>(isGood, [digestBytes(challenge)])).length > 0;
  }

  /** Uses it up. @returns whether it was good until now: of uses at once, one gets it */
  async use(em: SqlEntityManager, challenge: string): Promise<boolean> {
    return (await em.execute<unknown[]>(useChallenge, [digestBytes(challenge)])).length > 0;
  }

  /** The same password was hashed anew since the challenge was written. */
  async renewHash(challengeHash: Buffer, passwordHash: string): Promise<void> {
    await this.sql.rows(renewHash, [challengeHash, passwordHash]);
  }

  /** Without what it is known by. */
  async *#exportOf(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...challenge } of byPages(this.sql, personalData, userId)) yield challenge;
  }
}
