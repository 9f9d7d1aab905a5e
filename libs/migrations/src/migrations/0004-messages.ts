import { Migration } from '@mikro-orm/migrations';

/** Messages at URLs, and the key that they are found and sealed by. */
export class Messages extends Migration {
  override up(): void {
    this.addSql(`create table sealed_keys (
      name text primary key,
      sealed bytea not null,
      created_at timestamptz(3) not null default now()
    )`);

    this.addSql(`create table messages (
      id uuid primary key,
      token_hash bytea not null,
      sender text not null,
      sender_id uuid null,
      recipient_id uuid null,
      sealed_key bytea null,
      body bytea null,
      size int not null,
      max_reads int null,
      reads_left int null,
      reads int not null default 0,
      last_read_at timestamptz(3) null,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      constraint messages_token_hash_unique unique (token_hash),
      constraint messages_sender_id_foreign foreign key (sender_id) references users (id) on delete cascade,
      constraint messages_recipient_id_foreign foreign key (recipient_id) references users (id) on delete cascade
    )`);
    // random bytes do not compress: trying costs time and saves nothing
    this.addSql('alter table messages alter column body set storage external');
    this.addSql('create index messages_expires_at_index on messages (expires_at)');
    this.addSql('create index messages_sender_created_at_id_index on messages (sender, created_at, id)');
    this.addSql('create index messages_sender_expires_at_size_index on messages (sender, expires_at, size)');
    this.addSql('create index messages_sender_id_index on messages (sender_id)');
    this.addSql('create index messages_recipient_id_index on messages (recipient_id)');

    // Creations of one sender take turns until their transaction ends. In a function, since each
    // statement of a function sees what was committed before it began: a statement that waits for a
    // lock itself goes on with what it saw before.
    this.addSql(`create function message_room(of_sender text, of_size int, max_count int, max_bytes bigint)
      returns boolean language plpgsql volatile as $$
      begin
        perform pg_advisory_xact_lock(hashtextextended(of_sender, 1835365223));
        return (
          select count(*) < max_count and coalesce(sum(size), 0) + of_size <= max_bytes
          from messages where sender = of_sender and expires_at > now() and size > 0
        );
      end $$`);
  }
}
