import { Migration } from '@mikro-orm/migrations';

/**
 * Pictures, stored once however many users have them. The trigger removes them with the last of
 * those users, however that user goes: by a change, by an erasure, by an operator's own SQL. Its
 * lock is the one that `AvatarsRepository` takes; the check is a statement of its own, so that it
 * sees what others committed while the lock was waited for.
 */
export class Avatars extends Migration {
  override up(): void {
    this.addSql('alter table users add avatar_hash bytea null');
    this.addSql('create index users_avatar_hash_index on users (avatar_hash) where avatar_hash is not null');

    this.addSql(`create table avatars (
      hash bytea primary key,
      w64 bytea null,
      w256 bytea null,
      w512 bytea null,
      unlinked_since timestamptz(3) null
    )`);
    this.addSql('create index avatars_unlinked_since_index on avatars (unlinked_since)');
    // WebP does not get smaller, and need not be tried
    for (const column of ['w64', 'w256', 'w512']) {
      this.addSql(`alter table avatars alter column ${column} set storage external`);
    }
    this.addSql(`create table avatar_deletions (
      hash bytea primary key,
      requested_at timestamptz(3) not null default now()
    )`);

    this.addSql(`create function avatar_release(released bytea) returns void language plpgsql as $$
      declare was_external boolean;
      begin
        perform pg_advisory_xact_lock(1635148148, ('x' || encode(substr(released, 1, 4), 'hex'))::bit(32)::int);
        delete from avatars where hash = released and not exists (select from users where avatar_hash = released)
          returning w64 is null into was_external;
        if was_external then
          insert into avatar_deletions (hash) values (released) on conflict do nothing;
        end if;
      end $$`);
    this.addSql(`create function avatar_left() returns trigger language plpgsql as $$
      begin
        perform avatar_release(old.avatar_hash);
        return null;
      end $$`);
    this.addSql(`create trigger users_avatar_changed after update of avatar_hash on users for each row
      when (old.avatar_hash is not null and old.avatar_hash is distinct from new.avatar_hash)
      execute function avatar_left()`);
    this.addSql(`create trigger users_avatar_left after delete on users for each row
      when (old.avatar_hash is not null) execute function avatar_left()`);
  }
}
