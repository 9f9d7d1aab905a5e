import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '@mikro-orm/sql';

const pollMs = 200;

/**
 * Every advisory lock that is taken, so that no number is used for two things. The numbers are
 * ASCII, to be told from those of other applications on the same database; migrations have them as
 * literals.
 */
const advisoryLocks = {
  /** 'gate': replicas that start together migrate in turn. */
  migrations: 0x67617465,
  /** 'indx': replicas that start together make indexes in turn. */
  indexes: 0x696e6478,
  /** 'admn': whatever counts administrators, also the making of the first one, goes in turn. */
  administrators: 0x61646d6e,
  /** 'keys': replicas change signing keys in turn. */
  signingKeys: 0x6b657973,
  /** 'subj': imports that give subjects insert in turn, so that none is another user's id. */
  subjects: 0x7375626a,
  /** 'mail': reports of mail that failed mark addresses in turn. */
  undeliverableAddresses: 0x6d61696c,
} as const;

/**
 * Advisory locks that take a second number, or a hash with this as its seed. `senders` ('mesg') is
 * taken by triggers alone, for the count of a sender's messages (migrations 0004 and 0018).
 */
const advisoryLockClasses = {
  /**
   * 'avat', and the first 4 bytes of a picture's hash: links to one picture come and go in turn.
   */
  pictures: 0x61766174,
  senders: 0x6d657367,
} as const;

/** Waits for the lock and holds it until the transaction of `em` ends. */
export async function lockInTransaction(em: SqlEntityManager, name: keyof typeof advisoryLocks): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(?)', [advisoryLocks[name]]);
}

/**
 * As `lockInTransaction`, by asking again: a statement that waits would hold up who makes an index
 * concurrently, who would hold the lock.
 */
export async function pollForLock(em: SqlEntityManager, name: keyof typeof advisoryLocks): Promise<void> {
  const isLocked = async (): Promise<boolean> => {
    const statement = 'select pg_try_advisory_xact_lock(?) as locked';
    const [row] = await em.execute<{ locked: boolean }[]>(statement, [advisoryLocks[name]]);
    return row?.locked === true;
  };
  while (!(await isLocked())) await sleep(pollMs);
}

/** Waits for one lock of a class; as `lockInTransaction`. @param key a 32-bit integer */
export async function lockOneOf(em: SqlEntityManager, name: 'pictures', key: number): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(?, ?)', [advisoryLockClasses[name], key]);
}
