import { epochMs, type Statement } from '#libs/platform/database';
import { everyGeneration, revocationKinds } from '#verifier/revocations';

/**
 * An entry outlives the last token that it can end by this much: 60 s that clocks may differ, and
 * 60 s that whoever checks a token may tolerate after its `exp`.
 */
const marginSeconds = 120;
/** The members of an `Entry`. */
const entry = `kind, subject::text as "subjectId", coalesce(generation, ${everyGeneration}) as generation,
    extract(epoch from expires_at)::float8 as "expiresAt"`;

/**
 * Dated by the database's clock. Takes this replica's own lifetime of tokens, and the entries as
 * JSON; `ends_at` (Unix seconds) is the expiry of the only token that an entry can end, or null.
 */
export const insertEntries = `insert into revocations (kind, subject, name, generation, cause, expires_at)
  select kind, subject, name, generation, cause, interval '${marginSeconds} s' + coalesce(to_timestamp(ends_at),
    clock_timestamp() + make_interval(secs => greatest(?::int, (select max(seconds) from access_token_lifetimes))))
  from jsonb_to_recordset(?::jsonb) as entry (kind text, subject uuid, name text, generation int, cause text, ends_at float8)
  returning ${entry}`;

const kindNumber = `case kind ${revocationKinds.map((kind, at) => `when '${kind}' then '0${at}'`).join(' ')} end`;

/** One row a page: entries as bytes cost a third of what rows do (a million: 4.1 s, not 10.8). */
export const livePage: Statement = {
  text: `select count(*)::int as rows, max(id)::text as last, string_agg(
      decode(${kindNumber}, 'hex')
        || substring(uuid_send(subject) from 9) || int4send(coalesce(generation, ${everyGeneration}))
        || int8send(extract(epoch from expires_at)::int8), ''::bytea) as entries
    from (
      select id, kind, subject, generation, expires_at from revocations
      where id > $1 and xid >= $2::xid8 and expires_at > now() order by id limit $3
    ) page`,
};

/** Every entry that ends a token, the first of them first. */
export const endOf: Statement = {
  text: `select ended.kind, ended.name, cause, ${epochMs('created_at')} as "atMs"
    from unnest($1::text[], $2::uuid[], $3::int[]) as fact (kind, subject, generation)
    join revocations ended on ended.kind = fact.kind and ended.subject = fact.subject
      and coalesce(ended.generation, ${everyGeneration}) > fact.generation
    order by created_at, id limit 1`,
};

export const latestGeneration = `select coalesce(max(generation), 0)::int as generation
  from revocations where kind = ? and subject = ?`;

export const bySubjects: Statement = {
  name: 'revocations-by-subjects',
  text: `select ${entry} from revocations where subject = any($1::uuid[]) and expires_at > now()`,
};

/** Every transaction before the horizon has ended; the table is another one after a restore. */
export const horizonNow: Statement = {
  text: `select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
      concat_ws(':', (select oid from pg_database where datname = current_database()),
        to_regclass('revocations')::oid) as table_id`,
};
/**
 * The cluster and its timeline, which changes with a failover and a recovery to a point in time.
 * Servers may forbid to ask.
 */
export const clusterNow: Statement = {
  text: `select concat_ws(':', system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8)) as cluster
    from pg_control_system()`,
};

/** A replica records the lifetime of its tokens before it issues any, and once a minute. */
export const recordLifetime: Statement = {
  text: `insert into access_token_lifetimes (seconds) values ($1)
    on conflict (seconds) do update set last_used_at = excluded.last_used_at`,
};
/** An hour more than needed: a replica may be late in saying that it still issues such tokens. */
export const forgetLifetimes: Statement = {
  text: `with gone as (
      delete from access_token_lifetimes
      where last_used_at + make_interval(secs => seconds) + interval '1 hour' < now() returning 1
    ) select count(*)::int as count from gone`,
};
