import { Migration } from '@mikro-orm/migrations';

/**
 * When the user of a session last gave the password (`auth_time` of its tokens). The default comes
 * apart from the column, so that sessions which are there stay null: they were not authenticated
 * now. Replicas of the version before leave it to the default, which is right for the session that
 * a login begins.
 */
export class AuthenticatedAt extends Migration {
  override up(): void {
    this.addSql(`alter table sessions add column authenticated_at timestamptz(3)`);
    this.addSql(`alter table sessions alter column authenticated_at set default now()`);
  }
}
