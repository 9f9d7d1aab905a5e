import { randomUUID } from 'node:crypto';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { PersonalData } from '#libs/platform/personal-data';

import type { AuditEventView } from './audit.schema.js';
import { AuditService } from './audit.service.js';

const pageRows = 100;

/**
 * What audit rows tell of a user. Erasing keeps the rows, since they are evidence, and takes the person out: one
 * random pseudonym stands for the user in all of them, and the addresses and browsers that were the user's are gone.
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
      erase: pseudonymise,
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

async function pseudonymise(em: SqlEntityManager, userId: string): Promise<void> {
  const [self, pseudonym] = [`user:${userId}`, randomUUID()];
  // An administrator who acted on the user keeps address, browser and request id: they are not the user's. Whoever sends
  // an X-Request-Id chooses its text, which may be a name or an address.
  await em.execute(
    `update audit_events set
      ip = case when caller like 'user:%' and split_part(caller, ' ', 1) <> ? then ip end,
      user_agent = case when caller like 'user:%' and split_part(caller, ' ', 1) <> ? then user_agent end,
      request_id = case when caller like 'user:%' and split_part(caller, ' ', 1) <> ? then request_id end,
      caller = replace(caller, ?, ?),
      user_id = case when user_id = ? then ?::uuid else user_id end
    where user_id = ? or split_part(caller, ' ', 1) = ?`,
    [self, self, self, self, `user:${pseudonym}`, userId, pseudonym, userId, self],
  );
}
