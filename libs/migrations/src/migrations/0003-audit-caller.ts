import { Migration } from '@mikro-orm/migrations';

/**
 * Erasing a user finds what the user did by the caller, which may be followed by the service that
 * brought the token.
 */
export class AuditCaller extends Migration {
  override up(): void {
    this.addSql(`create index audit_events_caller_index on audit_events (split_part(caller, ' ', 1))`);
  }
}
