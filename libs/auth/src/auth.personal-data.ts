import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { byPages, rfc3339Sql, Sql, type Statement } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

const sessions: Statement = {
  text: `select id, ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('last_used_at')} as "lastUsedAt",
      user_agent as "userAgent", ip, client_id as "clientId"
    from sessions where user_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
};
const failures: Statement = {
  text: `select id::text, failures, ${rfc3339Sql('last_failed_at')} as "lastFailedAt", ${rfc3339Sql('delayed_until')} as "delayedUntil"
    from login_delays where subject = $1 and ($2::bigint is null or id > $2) order by id limit $3`,
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
      export: (userId) => byPages(this.sql, sessions, userId),
      erase: (em, userId) => remove(em, 'sessions', 'user_id', userId),
    });
    this.personalData.register({
      name: 'failedLogins',
      references: ['login_delays.subject'],
      export: (userId) => this.#failures(userId),
      erase: (em, userId) => remove(em, 'login_delays', 'subject', userId),
    });
  }

  async *#failures(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...failure } of byPages(this.sql, failures, userId)) yield failure;
  }
}

async function remove(em: SqlEntityManager, table: string, column: string, userId: string): Promise<void> {
  await em.execute(`delete from ${table} where ${column} = ?`, [userId]);
}
