import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { SecondFactorsRepository } from './second-factors.repository.js';

/** Registers how long second factors are kept: until they are removed, or their user is erased. */
@Injectable()
export class SecondFactorRetention implements OnModuleInit {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly personalData: PersonalData,
    private readonly factors: SecondFactorsRepository,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention(this.factors.expired);
    this.personalData.register({
      name: 'secondFactors',
      references: ['second_factors.user_id'],
      export: (userId) => this.factors.exportFactors(userId),
      erase: async (em, userId) => void (await this.factors.remove(em, userId)),
    });
    this.personalData.register({
      name: 'recoveryCodes',
      references: ['recovery_codes.user_id'],
      export: (userId) => this.factors.exportCodes(userId),
      // they go with the factors
      erase: () => Promise.resolve(),
    });
  }
}
