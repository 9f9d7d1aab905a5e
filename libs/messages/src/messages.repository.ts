import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { auditInsert } from '#libs/security/audit';
import type { TimePosition } from '#libs/platform/contract';
import { keepAnswer } from '#libs/platform/idempotency';
import { BatchedRead, byPages, epochMs, rfc3339Sql, Sql, type Statement } from '#libs/platform/database';

import { ReadConsumption } from './links/read-consumption.sql.js';
import type { Binding, SealedMessage } from './message-cipher.js';

/** Columns that the ciphertext is bound to. */
const binding = [
  'max_reads',
  'recipient_id',
  `${epochMs('expires_at')} as expires_ms`,
  `${epochMs('created_at')} as created_ms`,
];

/** As the driver gives it: bytes are a Buffer, or a Uint8Array from PGlite. */
export type MessageRow = {
  readonly id: string;
  readonly max_reads: number | null;
  readonly reads_left: number | null;
  readonly recipient_id: string | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly sealed_key: Uint8Array | null;
  readonly body: Uint8Array | null;
};
/** The caller, as the reader and as the sender of a message. */
export type Asker = { readonly readerId: string | null; readonly sender: string | null };
export type SentRow = Omit<MessageRow, 'sealed_key' | 'body'> & {
  readonly reads: number;
  readonly last_read_ms: number | null;
};

export type NewMessage = Binding &
  SealedMessage & {
    readonly tokenHash: Buffer;
    readonly sender: string;
    readonly senderId: string | null;
    readonly size: number;
    readonly createdMs: number;
  };
/** How many messages one sender may have, and with how many bytes together. */
export type Allowance = { readonly count: number; readonly bytes: number };

const details = `jsonb_build_object('messageId', id)`;

const auditDetails = `${details} || jsonb_build_object('expiresAt', expires_at, 'maxReads', max_reads, 'isForOneUser', recipient_id is not null)`;

/**
 * `message_room` makes other creations of the same sender wait, so that the limit holds for many at
 * once. `once` keeps the answer first, and makes no message when the lock was lost.
 */
const creation = (once?: { readonly kept: string }): string => `with room as materialized (
      select message_room($3::text, $8::int, $12::int, $13::bigint) as has_room
    ), open as (${once?.kept ?? 'select from room where has_room'}), message as (
      insert into messages (id, token_hash, sender, sender_id, recipient_id, sealed_key, body, size, max_reads,
        reads_left, created_at, expires_at)
      select $1::uuid, $2::bytea, $3::text, $4::uuid, $5::uuid, $6::bytea, $7::bytea, $8::int, $9::int, $9::int,
        to_timestamp($10::float8 / 1000), to_timestamp($11::float8 / 1000)
      from open returning id, expires_at, max_reads, recipient_id
    ), audit as (${auditInsert({ from: 'message', firstParameter: 14, details: auditDetails })})
    select has_room, exists (select from message) as is_made from room`;
const create: Statement = { name: 'create-message', text: creation() };
const createOnce: Statement = {
  name: 'create-message-once',
  text: creation({ kept: keepAnswer({ from: '(select from room where has_room) as room', firstParameter: 21 }) }),
};

const isOpen = 'expires_at > now() and (reads_left is null or reads_left > 0)';

/** The body of a message with limited reads stays in the table: a view uses no read up. */
const view: Statement = {
  name: 'view-message',
  text: `select asked::int, id, ${binding.join(', ')}, reads_left,
      case when max_reads is null then sealed_key end as sealed_key, case when max_reads is null then body end as body
    from unnest($1::text[], $2::uuid[]) with ordinality as link (hash, reader_id, asked)
      cross join lateral (
        select * from messages where token_hash = decode(link.hash, 'hex') and ${isOpen}
          and (recipient_id is null or recipient_id = link.reader_id)
        limit 1
      ) as message`,
};
/** Upper bound for one answer of the database: 1 MiB of bodies. */
const viewsAtOnce = 16;
const remove = (condition: string, firstParameter: number): string => `with gone as (
    delete from messages where ${condition} returning id
  ), audit as (${auditInsert({ from: 'gone', firstParameter, details })})
  select id from gone`;
const removeByToken: Statement = {
  name: 'delete-message-by-token',
  text: remove(
    `token_hash = $1 and ${isOpen} and (recipient_id is null or recipient_id = $2::uuid or sender = $3::text)`,
    4,
  ),
};
const removeById: Statement = {
  name: 'delete-message-by-id',
  text: remove('id = $1::uuid and sender = $2::text and expires_at > now()', 3),
};
const sent = `select id, ${binding.join(', ')}, reads_left, reads, ${epochMs('last_read_at')} as last_read_ms
  from messages where sender = $1 and expires_at > now()
    and ($3::float8 is null or (created_at, id) < (to_timestamp($3 / 1000), $4::uuid))
  order by created_at desc, id desc limit $2`;
const sweepLag: Statement = {
  text: `select coalesce(extract(epoch from now() - min(expires_at)), 0)::float8 as seconds
    from messages where expires_at <= now()`,
};

const pageAboutUser = (condition: string): Statement => ({
  text: `select id, ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('expires_at')} as "expiresAt",
      max_reads as "maxReads", reads_left as "readsLeft", reads, ${rfc3339Sql('last_read_at')} as "lastReadAt"
    from messages where ${condition} and ($2::uuid is null or id > $2) order by id limit $3`,
});
const sentPage = pageAboutUser('sender = $1');
const receivedPage = pageAboutUser('recipient_id = $1::uuid');

/** Every write is one statement, with its audit row: a message costs one round trip. */
@Injectable()
export class MessagesRepository {
  readonly #reads: ReadConsumption<MessageRow>;
  readonly #view: BatchedRead<MessageRow & { readonly asked: number }>;

  constructor(private readonly sql: Sql) {
    this.#view = new BatchedRead(sql, view, viewsAtOnce);
    this.#reads = new ReadConsumption(sql, {
      table: 'messages',
      returns: [...binding, 'sealed_key', 'body'],
      wipes: ['sealed_key', 'body'],
      condition: 'recipient_id is null or recipient_id = $2::uuid',
      // A message without reads left has no bytes any more; its row counts until it is swept.
      sets: 'reads = link.reads + 1, last_read_at = now(), size = case when link.reads_left = 1 then 0 else link.size end',
      inSameTransaction: auditInsert({ from: 'consumed', firstParameter: 3, details }),
    });
  }

  /**
   * @param answer the values of an idempotency lock, which are kept with the message
   * @returns `lost` when that lock was lost
   */
  async create(
    message: NewMessage,
    allowance: Allowance,
    audit: readonly unknown[],
    answer: readonly unknown[] = [],
  ): Promise<'made' | 'no-room' | 'lost'> {
    const { id, tokenHash, sender, senderId, recipientId, sealedKey, body, size, maxReads } = message;
    const times = [message.createdMs, message.expiresMs];
    const row = [id, tokenHash, sender, senderId, recipientId, sealedKey, body, size, maxReads, ...times];
    const values = [...row, allowance.count, allowance.bytes, ...audit, ...answer];
    const statement = answer.length === 0 ? create : createOnce;
    const done = await this.sql.row<{ has_room: boolean; is_made: boolean }>(statement, values);
    if (done?.is_made) return 'made';
    return done?.has_room ? 'lost' : 'no-room';
  }

  view(tokenHash: Buffer, readerId: string | null): Promise<MessageRow | undefined> {
    return this.#view.row(tokenHash.toString('hex'), readerId);
  }

  /** Uses up one read, before the message is opened. Of many reads at once each gets its own. */
  consumeRead(tokenHash: Buffer, readerId: string | null, audit: readonly unknown[]): Promise<MessageRow | undefined> {
    return this.#reads.consume(tokenHash, [readerId, ...audit]);
  }

  /** @returns whether there was such a message, for this reader or from this sender */
  async removeByToken(tokenHash: Buffer, who: Asker, audit: readonly unknown[]): Promise<boolean> {
    return (await this.sql.rows(removeByToken, [tokenHash, who.readerId, who.sender, ...audit])).length > 0;
  }

  /** @returns whether there was such a message from this sender */
  async removeById(id: string, sender: string | null, audit: readonly unknown[]): Promise<boolean> {
    return (await this.sql.rows(removeById, [id, sender, ...audit])).length > 0;
  }

  /** Newest first. */
  findSent(sender: string, limit: number, after: TimePosition | undefined): Promise<SentRow[]> {
    return this.sql.rows({ text: sent }, [sender, limit, ...(after ?? [null, null])]);
  }

  exportSent(sender: string): AsyncIterable<Readonly<Record<string, unknown>>> {
    return byPages(this.sql, sentPage, sender);
  }

  exportReceived(userId: string): AsyncIterable<Readonly<Record<string, unknown>>> {
    return byPages(this.sql, receivedPage, userId);
  }

  /** The foreign keys erase messages, too: they catch one that arrives at the same time. */
  async erase(em: SqlEntityManager, column: 'sender_id' | 'recipient_id', userId: string): Promise<void> {
    await em.execute(`delete from messages where ${column} = ?`, [userId]);
  }

  /** How many seconds ago the oldest message expired that is still stored; 0 when there is none. */
  async sweepLagSeconds(): Promise<number> {
    const row = await this.sql.row<{ seconds: number }>(sweepLag, []);
    return row?.seconds ?? 0;
  }
}
