import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { Sweeper } from '#libs/platform/database';

import { KeyRotation } from './keys/key-rotation.service.js';

/** A session's row stays a day after its end, so that every access token of it has expired by then. */
const keptLongerSeconds = 86_400;

/** What of auth outlives its use. */
@Injectable()
export class AuthSweeps implements OnModuleInit {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly rotation: KeyRotation,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const { SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS } = this.config;
    this.sweeper.register('signing_keys', () => this.rotation.tend());
    this.sweeper.registerRetention({
      table: 'sessions',
      condition: `last_used_at < now() - make_interval(secs => ?) or created_at < now() - make_interval(secs => ?)`,
      values: [SESSION_IDLE_SECONDS + keptLongerSeconds, SESSION_TTL_SECONDS + keptLongerSeconds],
    });
  }
}
