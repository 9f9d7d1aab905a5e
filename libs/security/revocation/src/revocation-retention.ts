import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { Sql, Sweeper } from '#libs/platform/database';

import { forgetLifetimes, recordLifetime } from './revocations.sql.js';

/** Keeps entries until the last token that they can end has expired, on whichever replica. */
@Injectable()
export class RevocationRetention implements OnModuleInit {
  constructor(
    private readonly sql: Sql,
    private readonly sweeper: Sweeper,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.sweeper.registerRetention({ table: 'revocations', condition: 'expires_at < now()', values: [] });
    this.sweeper.register('access token lifetimes', async () => {
      await this.recordLifetime();
      return (await this.sql.row<{ count: number }>(forgetLifetimes, []))?.count ?? 0;
    });
  }

  /** Of the access tokens that this replica issues. */
  get lifetimeSeconds(): number {
    return this.config.ACCESS_TOKEN_TTL_SECONDS;
  }

  /** Tells every replica how long tokens of this one live. Call before any is issued. */
  async recordLifetime(): Promise<void> {
    await this.sql.rows(recordLifetime, [this.lifetimeSeconds]);
  }
}
