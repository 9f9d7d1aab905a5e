import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Sweeper } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { KeyRotationService } from './keys/key-rotation.service.js';
import { LoginAttemptsRepository } from './login/login-attempts.repository.js';
import { OneTimeTokensRepository } from './recovery/one-time-tokens.repository.js';
import { SessionsRepository } from './sessions/sessions.repository.js';

/** Registers how long auth keeps its rows: until they expire, or until their user is erased. */
@Injectable()
export class AuthRetention implements OnModuleInit {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly personalData: PersonalData,
    private readonly rotation: KeyRotationService,
    private readonly sessions: SessionsRepository,
    private readonly attempts: LoginAttemptsRepository,
    private readonly oneTimeTokens: OneTimeTokensRepository,
  ) {}

  onModuleInit(): void {
    this.sweeper.register('signing_keys', () => this.rotation.rotateIfDue());
    this.sweeper.registerRetention(this.sessions.expired);
    this.sweeper.registerRetention(this.attempts.expired);
    this.sweeper.registerRetention(this.oneTimeTokens.expired);
    this.personalData.register({
      name: 'sessions',
      references: ['sessions.user_id'],
      export: (userId) => this.sessions.exportOf(userId),
      erase: async (em, userId) => void (await this.sessions.delete(em, userId, 'all')),
    });
    this.personalData.register({
      name: 'failedLogins',
      references: ['login_delays.subject'],
      export: (userId) => this.attempts.exportOf(userId),
      erase: (em, userId) => this.attempts.forgetFailures(em, userId),
    });
    this.personalData.register({
      name: 'mailedLinks',
      references: ['one_time_tokens.user_id'],
      export: (userId) => this.oneTimeTokens.exportOf(userId),
      erase: (em, userId) => this.oneTimeTokens.erase(em, userId),
    });
  }
}
