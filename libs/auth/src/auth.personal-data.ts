import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { rfc3339, Sql, type Statement } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

const sessions: Statement = {
  text: `select id, ${rfc3339('created_at')} as "createdAt", ${rfc3339('last_used_at')} as "lastUsedAt",
      user_agent as "userAgent", ip, client_id as "clientId"
    from sessions where user_id = $1 order by created_at, id`,
};
const failures: Statement = {
  text: `select failures, ${rfc3339('last_failed_at')} as "lastFailedAt", ${rfc3339('delayed_until')} as "delayedUntil"
    from login_delays where subject = $1 order by id`,
};

/** Sessions and failed logins of a user. */
@Injectable()
export class AuthPersonalData implements OnModuleInit {
  constructor(
    private readonly personalData: PersonalData,
    private readonly sql: Sql,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'sessions',
      references: ['sessions.user_id'],
      export: (userId) => this.#rows(sessions, userId),
      erase: (em, userId) => remove(em, 'sessions', 'user_id', userId),
    });
    this.personalData.register({
      name: 'failedLogins',
      references: ['login_delays.subject'],
      export: (userId) => this.#rows(failures, userId),
      erase: (em, userId) => remove(em, 'login_delays', 'subject', userId),
    });
  }

  /** Both are few: one device each. */
  async *#rows(statement: Statement, userId: string): AsyncGenerator<Record<string, unknown>> {
    yield* await this.sql.rows<Record<string, unknown>>(statement, [userId]);
  }
}

async function remove(em: SqlEntityManager, table: string, column: string, userId: string): Promise<void> {
  await em.execute(`delete from ${table} where ${column} = ?`, [userId]);
}
