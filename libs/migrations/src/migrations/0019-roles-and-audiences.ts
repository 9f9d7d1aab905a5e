import { Migration } from '@mikro-orm/migrations';

/**
 * Roles as data, audiences and grants of services, and what users have beside their names. Users
 * keep the roles `user` and `admin`. Replicas of the version before go on working: they write none
 * of the new columns, and issue tokens without a generation of roles, which counts as 0. Nothing
 * here depends on how many users there are, since all requests wait for it.
 */
export class RolesAndAudiences extends Migration {
  override up(): void {
    this.#roles();
    this.#users();
    this.addSql(`alter table services
      add column audience text null,
      add column audience_key text null,
      add column permissions text[] not null default '{}',
      add column grants jsonb not null default '[]',
      add column token_generation int not null default 0,
      add constraint services_audience_key_unique unique (audience_key)`);
    this.addSql(`alter table revocations
      add column name text null,
      drop constraint revocations_kind_check,
      add constraint revocations_kind_check
        check (kind in ('token', 'session', 'user', 'key', 'service', 'role'))`);
  }

  #roles(): void {
    this.addSql(`create table roles (
      name text primary key,
      description text null,
      permissions text[] not null default '{}',
      built_in boolean not null default false,
      removed_at timestamptz(3) null,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    )`);
    this.addSql("insert into roles (name, built_in) values ('user', true), ('admin', true)");
    this.addSql('create table role_generation (is_only boolean primary key, value int not null)');
    this.addSql('insert into role_generation (is_only, value) values (true, 0)');
    this.addSql('create table role_sets (roles text[] primary key)');
  }

  #users(): void {
    this.addSql(`alter table users
      drop constraint users_roles_check,
      add column subject text null,
      add column profile jsonb not null default '{}',
      add column metadata jsonb not null default '{}'`);
    // which roles anybody holds together: a role's change is checked against each set once, however
    // many users hold it
    this.addSql(`create function role_set_record() returns trigger language plpgsql as $$
      begin
        insert into role_sets (roles) values (array(select distinct unnest(new.roles) order by 1))
          on conflict do nothing;
        return null;
      end $$`);
    this.addSql(`create trigger users_role_set after insert or update of roles on users for each row
      when (new.roles <> '{user}') execute function role_set_record()`);
    this.addSql("insert into role_sets (roles) values ('{admin}'), ('{admin,user}')");
  }
}
