import { availableParallelism } from 'node:os';

import { hash } from '@node-rs/argon2';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { randomToken } from '#libs/platform/crypto';
import { MachineSlots, type Wait, WorkQueue } from '#libs/platform/queues';
import { MetricSources } from '#libs/platform/monitoring';

import type { HashCheck } from './foreign/hash-format.js';
import { readHash } from './foreign/read-hash.js';
import { normalisePassword } from './policy/judge-password.js';

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;
/** About two seconds of waiting at 21 ms a hash (design §4). */
const queuePerCore = 96;
/** An imported hash may take half a second. */
const foreignQueue = 8;

/**
 * argon2id with a salt of its own for each hash, as PHC strings. At most `cores` run at a time, on libuv's threads and
 * in all processes of this machine together: more gain nothing, cost 19 MiB each, and would starve everything else that
 * waits for a thread. Of hashes that were made elsewhere one at a time is checked: what was imported sets their price, so
 * that all that is in flight is 19 MiB a core and the memory of one of them.
 */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  readonly queue = new WorkQueue({
    concurrency: availableParallelism(),
    queue: availableParallelism() * queuePerCore,
    slots: MachineSlots.open(availableParallelism(), 'gatehouse-hashes'),
  });
  readonly #foreign = new WorkQueue({ concurrency: 1, queue: foreignQueue });
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
    if (check && passwordHash !== undefined && !isOurs(passwordHash)) return this.#verifyForeign(check, password, wait);
    const against = check ?? checkOf(this.#decoy);
    const matches = await this.queue.run(async () => (await against?.(normalisePassword(password))) === true, wait);
    return matches && check !== undefined;
  }

  /**
   * Hashes that were made elsewhere are over what was typed, not over its normal form: each that differs is tried, and
   * waits its own turn.
   */
  async #verifyForeign(check: HashCheck, password: string, wait: Wait = {}): Promise<boolean> {
    for (const form of new Set([normalisePassword(password), password])) {
      const isRight = await this.#foreign.run(() => this.queue.run(() => check(form), wait), { signal: wait.signal });
      if (isRight) return true;
    }
    return false;
  }

  /** Whether a hash was made with other parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    return !isOurs(passwordHash);
  }
}

function checkOf(passwordHash: string | undefined): HashCheck | undefined {
  const read = passwordHash === undefined ? undefined : readHash(passwordHash);
  return typeof read === 'function' ? read : undefined;
}

/** Made here, over the normal form, by today's parameters. */
const isOurs = (passwordHash: string): boolean => passwordHash.startsWith(currentPrefix);
