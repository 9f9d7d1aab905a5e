import { Migration } from '@mikro-orm/migrations';

/**
 * Whoever removes a picture tells all replicas with the commit, so that none goes on serving it
 * from memory. In the function that every removal goes through: a change, an erasure and an
 * operator's own SQL alike. Replicas of the version before do not know the topic, and leave the
 * notice alone. Beside it, messages that are used up count.
 */
export class NoticesAndCounts extends Migration {
  override up(): void {
    this.addSql(`create or replace function avatar_release(released bytea) returns void language plpgsql as $$
      declare was_external boolean;
      begin
        perform pg_advisory_xact_lock(1635148148, ('x' || encode(substr(released, 1, 4), 'hex'))::bit(32)::int);
        delete from avatars where hash = released and not exists (select from users where avatar_hash = released)
          returning w64 is null into was_external;
        if found then
          perform pg_notify('gatehouse', 'avatar ' || encode(released, 'hex'));
        end if;
        if was_external then
          insert into avatar_deletions (hash) values (released) on conflict do nothing;
        end if;
      end $$`);

    // a message that is used up counts as a row until it is swept: its row costs as much as
    // another's
    this.addSql(`create or replace function message_room(of_sender text, of_size int, max_count int, max_bytes bigint)
      returns boolean language plpgsql volatile as $$
      begin
        perform pg_advisory_xact_lock(hashtextextended(of_sender, 1835365223));
        return (
          select count(*) < max_count and coalesce(sum(size), 0) + of_size <= max_bytes
          from messages where sender = of_sender and expires_at > now()
        );
      end $$`);
  }
}
