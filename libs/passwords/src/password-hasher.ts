import { availableParallelism } from 'node:os';

import { hash } from '@node-rs/argon2';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { randomToken } from '#libs/platform/crypto';
import { MachineSlots, type Wait, WorkQueue } from '#libs/platform/work-queue';
import { MetricSources } from '#libs/platform/monitoring';

import type { HashCheck } from './foreign/hash-format.js';
import { readHash } from './foreign/read-hash.js';
import { normalisePassword } from './policy/judge-password.js';

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;
/** About two seconds of waiting at 21 ms a hash (design §4). */
const queuePerCore = 96;

/**
 * argon2id with a salt of its own for each hash, as PHC strings. At most `cores` run at a time, on libuv's threads and
 * in all processes of this machine together: more gain nothing, cost 19 MiB each, and would starve everything else that waits for a thread.
 */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  readonly queue = new WorkQueue({
    concurrency: availableParallelism(),
    queue: availableParallelism() * queuePerCore,
    slots: MachineSlots.open(availableParallelism(), 'gatehouse-hashes'),
  });
  #decoy = '';

  constructor(private readonly metrics: MetricSources) {}

  async onModuleInit(): Promise<void> {
    const { queue } = this;
    this.metrics.register(
      {
        name: 'hash_queue_jobs',
        help: 'Password hashes that run, and that wait for a core',
        kind: 'gauge',
        labelNames: ['state'],
        read: () => [
          { labels: { state: 'running' }, value: queue.running },
          { labels: { state: 'waiting' }, value: queue.waiting },
        ],
      },
      {
        name: 'hash_queue_refused_total',
        help: 'Requests refused with 503 because the queue for password hashes was full',
        kind: 'counter',
        read: () => queue.refused,
      },
    );
    this.#decoy = await hash(randomToken(), cost);
  }

  /** @throws AppError `overloaded` */
  hash(password: string, wait?: Wait): Promise<string> {
    return this.queue.run(() => hash(normalisePassword(password), cost), wait);
  }

  /**
   * Whether a password belongs to a hash, ours or one that was imported. Without a hash, or with one that no password
   * belongs to, the same work is done against a decoy, so that the answer for "no such user" takes as long as the one
   * for "wrong password".
   * @throws AppError `overloaded`
   */
  async verify(password: string, passwordHash: string | undefined, wait?: Wait): Promise<boolean> {
    const check = checkOf(passwordHash);
    const against = check ?? checkOf(this.#decoy);
    const matches = await this.queue.run(async () => against !== undefined && matchesAny(against, password), wait);
    return matches && check !== undefined;
  }

  /** Whether a hash was made with other parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    return !passwordHash.startsWith(currentPrefix);
  }
}

function checkOf(passwordHash: string | undefined): HashCheck | undefined {
  const read = passwordHash === undefined ? undefined : readHash(passwordHash);
  return typeof read === 'function' ? read : undefined;
}

/** Hashes that were made elsewhere are over what was typed, not over its normal form: each that differs is tried. */
async function matchesAny(check: HashCheck, password: string): Promise<boolean> {
  for (const form of new Set([normalisePassword(password), password])) if (await check(form)) return true;
  return false;
}
