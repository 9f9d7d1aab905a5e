import { rfc3339Sql, type Statement } from '#libs/platform/database';

/** A link is good for a week. */
export const lifetimeSeconds = 604_800;

const isOpen = 'expires_at > now()';

const view = `id, email, to_jsonb(roles) as roles, first_name as "firstName", last_name as "lastName",
  ${rfc3339Sql('created_at')} as "createdAt", ${rfc3339Sql('expires_at')} as "expiresAt"`;

/** Role names have no blanks. */
export const insertInvitation = `insert into invitations
    (id, email, email_key, roles, first_name, last_name, token_hash, created_at, expires_at)
  values (?, ?, ?, string_to_array(?, ' '), ?, ?, ?, now(), now() + make_interval(secs => ${lifetimeSeconds}))
  returning ${view}`;

export const openByToken: Statement = {
  text: `select id, email, to_jsonb(roles) as roles, first_name as "firstName", last_name as "lastName"
    from invitations where token_hash = $1 and ${isOpen}`,
};

/**
 * Locked in order, so that two links of one address never wait for each other. Whoever comes second
 * finds nothing any more.
 */
export const takeAll = `with wanted as (
    select email_key from invitations where token_hash = ? and ${isOpen}
  ), locked as materialized (
    select id from invitations where email_key in (select email_key from wanted) order by id for update
  ), gone as (
    delete from invitations where id in (select id from locked) returning token_hash
  ) select exists (select from gone where token_hash = ?) as "isTaken"`;

export const deleteOpen = `delete from invitations where id = ? and ${isOpen} returning id`;

export const openById: Statement = { text: `select ${view} from invitations where id = $1 and ${isOpen}` };

/** Newest first; the position is absent on the first page. */
export const openPage: Statement = {
  text: `select ${view} from invitations
    where ${isOpen} and ($2::float8 is null or (created_at, id) < (to_timestamp($2 / 1000), $3::uuid))
    order by invitations.created_at desc, id desc limit $1`,
};

export const expired = 'expires_at <= now()';
