import { Migration } from '@mikro-orm/migrations';

/** Requests that may be sent again. */
export class IdempotencyKeys extends Migration {
  override up(): void {
    this.addSql(`create table idempotency_keys (
      id bytea primary key,
      fingerprint bytea not null,
      attempt uuid not null,
      leased_until timestamptz(3) not null,
      answer bytea null,
      subject uuid null,
      created_at timestamptz(3) not null default now()
    )`);
    this.addSql('create index idempotency_keys_created_at_index on idempotency_keys (created_at)');
    this.addSql('create index idempotency_keys_subject_index on idempotency_keys (subject)');
  }
}
