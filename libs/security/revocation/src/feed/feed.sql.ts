import { rfc3339Sql, type Statement } from '#libs/platform/database';
import { everyGeneration } from '#verifier/revocations';

/** A database that hangs must not keep all readers of the feed for as long as it likes. */
const query_timeout = 2_000;

/**
 * Where a reader of the feed stands, of one snapshot: every entry of a transaction before the
 * horizon is visible. `history` differs where transaction ids mean something else: in another
 * database or table (a restore), in another cluster or timeline (a failover) where the server tells
 * them, since another start of the server (a volume put back), and since a crash that it recovered
 * from without one, which resets its statistics: ids that were not written yet are given again.
 */
const moment = (cluster: string): string =>
  `select pg_current_snapshot()::text as snapshot, pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
    (select value::text from feed_epoch) as renewal,
    concat_ws(':', (select oid from pg_database where datname = current_database()), to_regclass('revocations')::oid,
      extract(epoch from pg_postmaster_start_time()), extract(epoch from pg_stat_get_bgwriter_stat_reset_time()),
      ${cluster}) as history`;

export const momentInCluster: Statement = {
  query_timeout,
  text: moment('(select system_identifier from pg_control_system()), left(pg_walfile_name(pg_current_wal_lsn()), 8)'),
};
export const momentWithoutCluster: Statement = { query_timeout, text: moment('null') };

/** The transaction that the horizon waits for, in whichever database of the cluster. */
export const horizonHolder: Statement = {
  query_timeout,
  text: `select pg_snapshot_xmin(now)::text as horizon, pg_snapshot_xmin(now) < pg_snapshot_xmax(now) as "isHeld",
      (select extract(epoch from clock_timestamp() - began)::float8 from (
        select backend_xid, xact_start from pg_stat_activity where backend_xid is not null
        union all select transaction, prepared from pg_prepared_xacts
      ) as holder (xid, began) order by age(xid) desc limit 1) as seconds
    from pg_current_snapshot() as now`,
};

/** The members of a `FeedRow`; the subject is what tokens say. */
const row = `id::text, kind, coalesce(name, subject::text) as subject,
    nullif(generation, ${everyGeneration}) as below, cause, ${rfc3339Sql('expires_at')} as "expiresAt"`;

/** Live entries from a horizon on, after an id. Entries that commit meanwhile may be among them. */
export const rowsFrom: Statement = {
  text: `select ${row} from revocations
    where id > $1 and xid >= $2::xid8 and expires_at > now() order by revocations.id limit $3`,
};

/**
 * Live entries that a snapshot did not show, after an id. Unlike a horizon, it is exact: an idle
 * transaction elsewhere does not make the same entries be read again.
 */
export const rowsUnseenBy: Statement = {
  query_timeout,
  text: `select ${row} from revocations
    where id > $1 and expires_at > now() and (xid >= pg_snapshot_xmax($2::pg_snapshot)
      or xid = any(array(select pg_snapshot_xip($2::pg_snapshot))))
    order by revocations.id limit $3`,
};

/** No cursor means anything any more: whoever reads on takes everything anew. */
export const renewEpoch = 'update feed_epoch set value = gen_random_uuid()';
/** Once, however many replicas find that it has to be. */
export const renewEpochOf: Statement = { text: `${renewEpoch} where value = $1::uuid` };
