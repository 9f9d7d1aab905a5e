import { Injectable, type OnModuleInit } from '@nestjs/common';

import { byPages, rfc3339Sql, Sql } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

const kept = {
  text: `select encode(id, 'hex') as id, ${rfc3339Sql('created_at')} as "createdAt" from idempotency_keys
    where subject = $1 and ($2::text is null or id > decode($2, 'hex')) order by id limit $3`,
};

/** Answers about a user are kept sealed under keys that only clients have: an export can say that there are some. */
@Injectable()
export class IdempotencyPersonalData implements OnModuleInit {
  constructor(
    private readonly personalData: PersonalData,
    private readonly sql: Sql,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'sealedAnswers',
      references: ['idempotency_keys.subject'],
      export: (userId) => this.#export(userId),
      erase: async (em, userId) => {
        await em.execute('delete from idempotency_keys where subject = ?', [userId]);
      },
    });
  }

  async *#export(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...about } of byPages(this.sql, kept, userId)) yield about;
  }
}
