import { Logger } from '@nestjs/common';

import type { Sql } from '#libs/platform/database';

import { clusterNow, horizonNow } from '../revocations.sql.js';

/** Which database a view was read from, and up to where. */
export type History = {
  /** Every entry of an older transaction is in the view. */
  readonly horizon: bigint;
  readonly tableId: string;
  /** Nothing where the server does not tell. */
  readonly cluster: string | undefined;
};

const logger = new Logger('Revocations');

/** Call before reading: what commits meanwhile is at or after the horizon, and is read again. */
export async function readHistory(sql: Sql): Promise<History> {
  const row = await sql.row<{ horizon: string; table_id: string }>(horizonNow, []);
  return { horizon: BigInt(row?.horizon ?? 0), tableId: row?.table_id ?? '', cluster: await readCluster(sql) };
}

async function readCluster(sql: Sql): Promise<string | undefined> {
  try {
    return (await sql.row<{ cluster: string }>(clusterNow, []))?.cluster;
  } catch (error) {
    const event = 'the server does not say which cluster it is: each reconnection reads all revocations again';
    logger.log({ err: error, event });
    return undefined;
  }
}

/**
 * The first transaction that has to be read again: all of them when the database is another one
 * (after a restore, a failover or a recovery), since transaction ids mean something else then, and
 * when the server does not tell.
 */
export function readFrom(known: History | undefined, now: History): bigint {
  const isSame =
    known !== undefined &&
    now.cluster !== undefined &&
    now.cluster === known.cluster &&
    now.tableId === known.tableId &&
    now.horizon >= known.horizon;
  return isSame ? known.horizon : 0n;
}
