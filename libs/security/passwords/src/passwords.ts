import { randomBytes } from 'node:crypto';

import { hash } from '@node-rs/argon2';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { MetricSources } from '#libs/platform/monitoring';
import { usableCores, type Wait, WorkQueue } from '#libs/platform/queues';

import type { HashCheck } from './foreign/hash-format.js';
import { readHash } from './foreign/read-hash.js';
import { normalisePassword, PasswordPolicy, type PasswordSubject } from './policy/password-policy.js';

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;
/**
 * A hash that no password is known of, to check one against when there is none: its salt and its
 * digest are random, of the lengths that ours have.
 */
const decoy = `${currentPrefix}${phcBytes(16)}$${phcBytes(32)}`;
/** About two seconds of waiting at 21 ms a hash (design §4). */
const queuePerCore = 96;
/** An imported hash may take half a second. */
const foreignQueue = 8;

/**
 * Accepts, hashes and verifies passwords. Hashes are argon2id with a salt of their own, as PHC
 * strings.
 *
 * At most `HASH_CONCURRENCY` run at a time, on libuv's threads: more gain nothing, cost 19 MiB
 * each, and would starve everything else that waits for a thread (ADR 23). Of hashes that were made
 * elsewhere only one at a time is checked, since whoever made them set their price. So the memory
 * in flight is 19 MiB for each hash, and that of one import.
 */
@Injectable()
export class Passwords implements OnModuleInit {
  readonly queue: WorkQueue;
  readonly #foreign = new WorkQueue({ concurrency: 1, queue: foreignQueue });
  readonly #policy: PasswordPolicy;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly metrics: MetricSources,
  ) {
    const concurrency = config.HASH_CONCURRENCY ?? usableCores();
    this.queue = new WorkQueue({ concurrency, queue: concurrency * queuePerCore });
    this.#policy = new PasswordPolicy(config);
  }

  onModuleInit(): void {
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
  }

  /** @throws AppError `password-refused` with every reason */
  validate(password: string, subject: PasswordSubject): Promise<void> {
    return this.#policy.validate(password, subject);
  }

  /** @throws AppError `overloaded`; the reason of the signal */
  hash(password: string, wait?: Wait): Promise<string> {
    return this.queue.run(() => hash(normalisePassword(password), cost), wait);
  }

  /** @returns the hash of an accepted password @throws AppError `password-refused`, `overloaded` */
  async validateAndHash(password: string, subject: PasswordSubject): Promise<string> {
    await this.validate(password, subject);
    return this.hash(password);
  }

  /**
   * Whether a password belongs to a hash, ours or an imported one. Without a hash, or with one that
   * no password belongs to, the same work is done against a decoy, so that the answer for "no such
   * user" takes as long as the one for "wrong password".
   * @throws AppError `overloaded`; the reason of the signal
   */
  async verify(password: string, passwordHash: string | undefined, wait?: Wait): Promise<boolean> {
    const check = checkOf(passwordHash);
    if (check && passwordHash !== undefined && this.isOutdated(passwordHash)) {
      return this.#verifyForeign(check, password, wait);
    }
    const against = check ?? checkOf(decoy);
    const matches = await this.queue.run(async () => (await against?.(normalisePassword(password))) === true, wait);
    return matches && check !== undefined;
  }

  /**
   * Other systems hash what was typed, not its normal form. When the two differ, each is tried, and
   * each waits its own turn.
   */
  async #verifyForeign(check: HashCheck, password: string, wait: Wait = {}): Promise<boolean> {
    for (const form of new Set([normalisePassword(password), password])) {
      const isRight = await this.#foreign.run(() => this.queue.run(() => check(form), wait), { signal: wait.signal });
      if (isRight) return true;
    }
    return false;
  }

  /** Whether a hash was made elsewhere, or with other parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    return !passwordHash.startsWith(currentPrefix);
  }
}

/** Base64 without padding, as PHC strings have it. */
function phcBytes(count: number): string {
  return randomBytes(count).toString('base64').replaceAll('=', '');
}

function checkOf(passwordHash: string | undefined): HashCheck | undefined {
  const read = passwordHash === undefined ? undefined : readHash(passwordHash);
  return typeof read === 'function' ? read : undefined;
}
