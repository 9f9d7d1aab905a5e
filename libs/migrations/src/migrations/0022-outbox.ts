import { Migration } from '@mikro-orm/migrations';

/** One durable queue for mail, and for what else is told to others later. */
export class Outbox extends Migration {
  override up(): void {
    this.addSql(`create table outbox (
      id uuid primary key,
      kind text not null,
      payload bytea not null,
      user_id uuid null,
      attempts int not null default 0,
      due_at timestamptz(3) not null default now(),
      failed_at timestamptz(3) null,
      last_error text null,
      created_at timestamptz(3) not null default now()
    )`);
    this.addSql('create index outbox_due_at_index on outbox (due_at)');
    this.addSql('create index outbox_user_id_index on outbox (user_id)');
  }
}
