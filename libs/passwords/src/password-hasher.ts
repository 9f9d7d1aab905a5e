import { availableParallelism } from 'node:os';

import { hash, verify } from '@node-rs/argon2';
import { Injectable, type OnModuleInit } from '@nestjs/common';

import { randomToken } from '#libs/platform/crypto';

import { normalisePassword } from './policy/judge-password.js';
import { WorkQueue } from './work-queue.js';

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;
/** About two seconds of waiting at 21 ms a hash (design §4). */
const queuePerCore = 96;

/**
 * argon2id with a salt of its own for each hash, as PHC strings. At most `cores` run at a time, on libuv's threads:
 * more gain nothing, cost 19 MiB each, and would starve everything else that waits for a thread.
 */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  readonly queue = new WorkQueue({
    concurrency: availableParallelism(),
    queue: availableParallelism() * queuePerCore,
  });
  #decoy = '';

  async onModuleInit(): Promise<void> {
    this.#decoy = await hash(randomToken(), cost);
  }

  /** @throws AppError `overloaded` */
  hash(password: string, signal?: AbortSignal): Promise<string> {
    return this.queue.run(() => hash(normalisePassword(password), cost), signal);
  }

  /**
   * Whether a password belongs to a hash. Without a hash the same work is done against a decoy, so that the answer
   * for "no such user" takes as long as the one for "wrong password".
   * @throws AppError `overloaded`
   */
  async verify(password: string, passwordHash: string | undefined, signal?: AbortSignal): Promise<boolean> {
    const matches = await this.queue.run(
      () => verify(passwordHash ?? this.#decoy, normalisePassword(password)),
      signal,
    );
    return matches && passwordHash !== undefined;
  }

  /** Whether a hash was made with other parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    return !passwordHash.startsWith(currentPrefix);
  }
}
