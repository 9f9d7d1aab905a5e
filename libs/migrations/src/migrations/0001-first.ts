import { Migration } from '@mikro-orm/migrations';

/** The ground: users, sessions, signing keys, revocations, audit. */
export class First extends Migration {
  override up(): void {
    this.addSql(`create table users (
      id uuid primary key,
      user_name text not null,
      user_name_key text not null,
      first_name text not null,
      last_name text not null,
      email text null,
      email_key text null,
      roles text[] not null,
      status text not null default 'active',
      password_hash text not null,
      token_generation int not null default 0,
      session_generation int not null default 0,
      version int not null default 1,
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      constraint users_user_name_key_unique unique (user_name_key),
      constraint users_email_key_unique unique (email_key),
      constraint users_status_check check (status in ('active', 'deactivated')),
      constraint users_roles_check check (roles <@ array['user', 'admin']::text[])
    )`);
    this.addSql('create index users_created_at_id_index on users (created_at, id)');

    this.addSql(`create table sessions (
      id uuid primary key,
      user_id uuid not null,
      generation int not null,
      rotation int not null default 0,
      current_hash bytea not null,
      previous_hash bytea null,
      created_at timestamptz(3) not null default now(),
      last_used_at timestamptz(3) not null default now(),
      user_agent text null,
      ip text null,
      constraint sessions_user_id_foreign foreign key (user_id) references users (id) on delete cascade
    )`);
    this.addSql('create index sessions_user_id_index on sessions (user_id)');
    this.addSql('create index sessions_last_used_at_index on sessions (last_used_at)');

    this.addSql(`create table login_delays (
      id bigserial primary key,
      subject uuid not null,
      device uuid not null,
      failures int not null,
      delayed_until timestamptz(3) not null,
      last_failed_at timestamptz(3) not null,
      constraint login_delays_subject_device_unique unique (subject, device)
    )`);
    this.addSql('create index login_delays_last_failed_at_index on login_delays (last_failed_at)');

    this.addSql(`create table signing_keys (
      id uuid primary key,
      public_jwk jsonb not null,
      sealed_private_key bytea not null,
      signs_from timestamptz(3) not null,
      retired_at timestamptz(3) null,
      created_at timestamptz(3) not null default now()
    )`);

    this.addSql(`create table services (
      id uuid primary key,
      name text not null,
      description text null,
      scopes text[] not null,
      status text not null default 'active',
      secret_hash text not null,
      previous_hash text null,
      previous_until timestamptz(3) null,
      last_used_at timestamptz(3) null,
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      constraint services_name_unique unique (name),
      constraint services_status_check check (status in ('active', 'deactivated'))
    )`);

    this.addSql(`create table revocations (
      id bigserial primary key,
      kind text not null,
      subject uuid not null,
      generation int null,
      cause text not null,
      expires_at timestamptz(0) not null,
      created_at timestamptz(3) not null default now(),
      xid xid8 not null default pg_current_xact_id(),
      constraint revocations_kind_check check (kind in ('token', 'session', 'user', 'key'))
    )`);
    this.addSql('create index revocations_subject_index on revocations (subject)');
    this.addSql('create index revocations_expires_at_index on revocations (expires_at)');
    this.addSql('create index revocations_xid_index on revocations (xid)');

    this.addSql(`create table audit_events (
      id uuid primary key,
      at timestamptz(3) not null default now(),
      event text not null,
      user_id uuid null,
      caller text not null,
      ip text null,
      user_agent text null,
      request_id text null,
      details jsonb null
    )`);
    this.addSql('create index audit_events_at_id_index on audit_events (at, id)');
    this.addSql('create index audit_events_user_id_at_index on audit_events (user_id, at)');
  }
}
