import { Migration } from '@mikro-orm/migrations';

/**
 * Users know their id in the system they were imported from, so that an import can be run again.
 */
export class Import extends Migration {
  override up(): void {
    this.addSql(`alter table users
      add column external_id text null,
      add constraint users_external_id_unique unique (external_id)`);
  }
}
