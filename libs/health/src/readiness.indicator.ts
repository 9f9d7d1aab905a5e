import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

import { Changes, Sql } from '#libs/platform/database';
import { Draining } from '#libs/platform/http';

const databaseTimeoutMs = 2_000;

/** What a request needs of this process. Fixed words: messages of errors are for the log, not for strangers. */
@Injectable()
export class ReadinessIndicator {
  constructor(
    private readonly health: HealthIndicatorService,
    private readonly sql: Sql,
    private readonly changes: Changes,
    private readonly draining: Draining,
  ) {}

  async database(): Promise<HealthIndicatorResult> {
    const check = this.health.check('database');
    const isAnswering = await Promise.race([
      this.sql.row({ text: 'select 1' }, []).then(
        () => true,
        () => false,
      ),
      new Promise<false>((resolve) => setTimeout(resolve, databaseTimeoutMs, false).unref()),
    ]);
    return isAnswering ? check.up() : check.down();
  }

  revocations(): HealthIndicatorResult {
    const check = this.health.check('revocations');
    return this.changes.isFresh ? check.up() : check.down();
  }

  serving(): HealthIndicatorResult {
    const check = this.health.check('serving');
    return this.draining.isDraining ? check.down() : check.up();
  }
}
