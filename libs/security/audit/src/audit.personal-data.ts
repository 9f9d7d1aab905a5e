import { randomUUID } from 'node:crypto';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { PersonalData } from '#libs/platform/personal-data';

import type { AuditEventView } from './audit.schema.js';
import { AuditService } from './audit.service.js';
import { pseudonymise } from './audit.sql.js';

const pageRows = 100;

/**
 * What audit rows say of a user. Erasing keeps the rows, since they are evidence, and takes the
 * person out: one random pseudonym stands for the user in all of them, and the user's addresses and
 * browsers are gone.
 */
@Injectable()
export class AuditPersonalData implements OnModuleInit {
  constructor(
    private readonly personalData: PersonalData,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'auditEvents',
      references: ['audit_events.user_id', 'audit_events.caller'],
      export: (userId) => this.#export(userId),
      erase,
    });
  }

  /** What happened to the user, newest first; what it did to others is theirs. */
  async *#export(userId: string): AsyncGenerator<AuditEventView> {
    let cursor: string | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop -- a page follows from the one before
      const page = await this.audit.list({ userId, limit: pageRows, cursor });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}

async function erase(em: SqlEntityManager, userId: string): Promise<void> {
  const [self, pseudonym] = [`user:${userId}`, randomUUID()];
  const values = [self, self, self, self, `user:${pseudonym}`, userId, pseudonym, userId, self];
  await em.execute(pseudonymise, values);
}
