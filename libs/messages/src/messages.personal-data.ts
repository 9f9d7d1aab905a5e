import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { byPages, rfc3339Sql, Sql, type Statement } from '#libs/platform/database';
import { PersonalData } from '#libs/platform/personal-data';

import { userSender } from './message-access.js';

const about = `id, ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('expires_at')} as "expiresAt",
  max_reads as "maxReads", reads_left as "readsLeft", reads, ${rfc3339Sql('last_read_at')} as "lastReadAt"`;
const page = (condition: string): Statement => ({
  text: `select ${about} from messages where ${condition} and ($2::uuid is null or id > $2)
    order by id limit $3`,
});
const sent = page('sender = $1');
const received = page('recipient_id = $1::uuid');

/** Messages from and to a user. An export tells that they are there: what they say only their URLs open. */
@Injectable()
export class MessagesPersonalData implements OnModuleInit {
  constructor(
    private readonly personalData: PersonalData,
    private readonly sql: Sql,
  ) {}

  onModuleInit(): void {
    this.personalData.register({
      name: 'sentMessages',
      references: ['messages.sender', 'messages.sender_id'],
      export: (userId) => byPages(this.sql, sent, userSender(userId)),
      erase: (em, userId) => remove(em, 'sender_id', userId),
    });
    this.personalData.register({
      name: 'receivedMessages',
      references: ['messages.recipient_id'],
      export: (userId) => byPages(this.sql, received, userId),
      erase: (em, userId) => remove(em, 'recipient_id', userId),
    });
  }
}

/** The foreign keys would do it too, and do it for a message that comes in at the same time. */
async function remove(em: SqlEntityManager, column: string, userId: string): Promise<void> {
  await em.execute(`delete from messages where ${column} = ?`, [userId]);
}
