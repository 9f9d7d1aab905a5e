import { Migration } from '@mikro-orm/migrations';

/** What all replicas must agree on, and when the rotation before the last one of a session was. */
export class Trust extends Migration {
  override up(): void {
    this.addSql(`create table settings (
      name text primary key,
      value text not null,
      created_at timestamptz(3) not null default now()
    )`);
    this.addSql('alter table sessions add column previous_rotated_at timestamptz(3) null');
  }
}
