import { Migration } from '@mikro-orm/migrations';

/**
 * The client of a session (`client_id` of its tokens): the service that signed the user in, else
 * Gatehouse itself.
 */
export class SessionClient extends Migration {
  override up(): void {
    this.addSql(`alter table sessions add column client_id text not null default 'gatehouse'`);
  }
}
