import { Migration } from '@mikro-orm/migrations';

/** The feed of revocations needs to say when its history is another one (ADR 27). */
export class FeedEpoch extends Migration {
  override up(): void {
    this.addSql('create table feed_epoch (is_only boolean primary key, value uuid not null)');
    this.addSql('insert into feed_epoch (is_only, value) values (true, gen_random_uuid())');
  }
}
