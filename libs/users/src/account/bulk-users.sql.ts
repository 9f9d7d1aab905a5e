import { epochMs, type Statement } from '#libs/platform/database';

/**
 * One statement a batch, so that a batch is written whole or not at all. `mark` is the transaction
 * that wrote the row: it tells the users of this import from those who were there before.
 */
export const insertMissing = `insert into users (id, subject, external_id, user_name, user_name_key, first_name, last_name,
      email, email_key, email_verified, status, password_hash, roles, profile, metadata, created_at, updated_at)
    select id, subject, external_id, user_name, user_name_key, first_name, last_name, email, email_key,
      email is not null and coalesce(email_verified, false), status, password_hash, string_to_array(roles, ' '),
      coalesce(profile, '{}')::jsonb, coalesce(metadata, '{}')::jsonb, to_timestamp(created_ms / 1000), now()
    from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
      ?::bool[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::float8[]) as row (id, subject,
      external_id, user_name, user_name_key, first_name, last_name, email, email_key, email_verified, status,
      password_hash, roles, profile, metadata, created_ms)
    on conflict do nothing returning id, xmin::text as mark`;

/** Whose ids and subjects these are. No index can refuse that a subject is another user's id. */
export const namedBy = `select id, coalesce(subject, id::text) as sub from users where id = any(?::uuid[])
    union all select id, coalesce(subject, id::text) from users where coalesce(subject, id::text) = any(?::text[])`;

export const existing: Statement = {
  text: `select id, coalesce(subject, id::text) as sub, external_id, user_name_key, email_key, first_name, last_name,
      email, email_verified, xmin::text as mark
    from users where id in (
      select id from users where id = any($1::uuid[])
      union all select id from users where coalesce(subject, id::text) = any($2::text[])
      union all select id from users where external_id = any($3::text[])
      union all select id from users where user_name_key = any($4::text[])
      union all select id from users where email_key = any($5::text[]))`,
};

/**
 * The first step: addresses may be swapped, and a unique index checks each row as it changes. What
 * was known of the old address ends here; one that waits to be confirmed does not come after it.
 */
export const giveUpAddresses = `update users u set email = null, email_key = null, email_verified = false,
      pending_email = null
    from unnest(?::uuid[], ?::text[]) as row (id, email_key)
    where u.id = row.id and u.email_key is distinct from row.email_key returning u.id`;
export const updateProfiles = `update users u set external_id = row.external_id, first_name = row.first_name,
      last_name = row.last_name, email = row.email, email_key = row.email_key,
      email_verified = row.email is not null and coalesce(row.email_verified, u.email_verified),
      version = u.version + 1, updated_at = now()
    from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bool[])
      as row (id, external_id, first_name, last_name, email, email_key, email_verified)
    where u.id = row.id`;

export const exportPage: Statement = {
  name: 'users-export-page',
  text: `select id, subject, external_id, user_name, user_name_key, first_name, last_name, email, email_verified,
      roles, status, password_hash, nullif(profile, '{}') as profile, nullif(metadata, '{}') as metadata,
      ${epochMs('created_at')} as created_ms
    from users where user_name_key > $1 order by user_name_key limit $2`,
};

/** The first names in the order of their bytes that can be a part of a column's name. */
export const memberNames = (field: 'profile' | 'metadata'): Statement => ({
  text: `select name from (
      select distinct jsonb_object_keys(${field}) collate "C" as name from users where ${field} <> '{}'
    ) found where name ~ '^[A-Za-z0-9_.:-]{1,64}$' order by name limit $1`,
});
