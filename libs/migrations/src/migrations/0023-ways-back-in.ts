import { Migration } from '@mikro-orm/migrations';

/** Verified addresses, one-time tokens, invitations, second factors. */
export class WaysBackIn extends Migration {
  override up(): void {
    this.addSql(`alter table users add column email_verified boolean not null default false,
      add column pending_email text null`);
    this.addSql(`alter table sessions add column amr text[] not null default '{pwd}'`);
    this.addSql(`create table one_time_tokens (
      id uuid primary key,
      purpose text not null,
      user_id uuid not null,
      email_key text not null,
      token_hash bytea not null,
      code_hash bytea null,
      wrong_codes int not null default 0,
      created_at timestamptz(3) not null default now(),
      ended_at timestamptz(3) null,
      constraint one_time_tokens_user_id_foreign foreign key (user_id) references users (id) on delete cascade,
      constraint one_time_tokens_purpose_check check (purpose in ('email-verification', 'password-reset'))
    )`);
    this.addSql('create unique index one_time_tokens_token_hash_unique on one_time_tokens (token_hash)');
    this.addSql('create index one_time_tokens_email_key_index on one_time_tokens (email_key)');
    this.addSql('create index one_time_tokens_user_id_index on one_time_tokens (user_id)');
    this.addSql('create index one_time_tokens_created_at_index on one_time_tokens (created_at)');
    this.addSql(`create table undeliverable_addresses (
      email_key text primary key,
      reason text not null,
      created_at timestamptz(3) not null default now()
    )`);
    this.addSql('create index undeliverable_addresses_created_at_index on undeliverable_addresses (created_at)');
    this.addSql(`create table invitations (
      id uuid primary key,
      email text not null,
      email_key text not null,
      roles text[] not null,
      first_name text null,
      last_name text null,
      token_hash bytea not null,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null
    )`);
    this.addSql('create unique index invitations_token_hash_unique on invitations (token_hash)');
    this.addSql('create index invitations_created_at_id_index on invitations (created_at, id)');
    this.addSql('create index invitations_email_key_index on invitations (email_key)');
    this.addSql('create index invitations_expires_at_index on invitations (expires_at)');
    this.addSql(`create table second_factors (
      id uuid primary key,
      user_id uuid not null,
      kind text not null,
      secret bytea not null,
      counter bigint not null,
      credential_id bytea null,
      name text null,
      created_at timestamptz(3) not null default now(),
      confirmed_at timestamptz(3) null,
      last_used_at timestamptz(3) null,
      constraint second_factors_user_id_foreign foreign key (user_id) references users (id) on delete cascade
    )`);
    this.addSql('create index second_factors_user_id_index on second_factors (user_id)');
    this.addSql('create unique index second_factors_credential_id_unique on second_factors (credential_id)');
    this.addSql(`create unique index second_factors_totp_unique on second_factors (user_id) where kind = 'totp'`);
    this.addSql(`create table recovery_codes (
      code_hash bytea primary key,
      user_id uuid not null,
      created_at timestamptz(3) not null default now(),
      constraint recovery_codes_user_id_foreign foreign key (user_id) references users (id) on delete cascade
    )`);
    this.addSql('create index recovery_codes_user_id_index on recovery_codes (user_id)');
    this.addSql(`create table login_challenges (
      token_hash bytea primary key,
      user_id uuid not null,
      password_hash text not null,
      client_id text not null,
      audience text null,
      state bytea null,
      created_at timestamptz(3) not null default now(),
      constraint login_challenges_user_id_foreign foreign key (user_id) references users (id) on delete cascade
    )`);
    this.addSql('create index login_challenges_user_id_index on login_challenges (user_id)');
    this.addSql('create index login_challenges_created_at_index on login_challenges (created_at)');
    this.addSql('create index outbox_kind_due_at_index on outbox (kind, due_at) where failed_at is null');
    this.addSql('drop index outbox_due_at_index');
  }
}
