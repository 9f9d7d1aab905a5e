import { Migration } from '@mikro-orm/migrations';

/**
 * With which lifetimes access tokens are out. A service that runs already has issued some of which
 * nothing is recorded, and replicas of the release before go on doing so: for a day everything
 * counts as if it lived for the longest there can be.
 */
export class AccessTokenLifetimes extends Migration {
  override up(): void {
    this.addSql(`create table access_token_lifetimes (
      seconds integer not null,
      last_used_at timestamptz(3) not null default now(),
      constraint access_token_lifetimes_pkey primary key (seconds)
    )`);
    this.addSql(`insert into access_token_lifetimes (seconds) select 86400 where exists (select from sessions)`);
  }
}
