import { randomInt } from 'node:crypto';

import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';

import { type Config, CONFIG } from '#libs/platform/config';
import { digestBytes, linkToken, MasterKey } from '#libs/platform/crypto';
import { byPages, type Expired, Sql } from '#libs/platform/database';
import { toEmailKey } from '#libs/users';

import type { Purpose } from './one-time-token.entity.js';
import {
  countOfHour,
  countWrongCode,
  endAll,
  endSurplus,
  exportOf,
  findByCode,
  findByToken,
  insertToken,
  lifetimeSeconds,
  useOne,
} from './one-time-tokens.sql.js';

/** What is mailed: the token of the link (40 hexadecimal digits), and 8 digits to type. */
export type LinkAndCode = { readonly token: string; readonly code: string };

/** What comes back: one of the two. */
export type Proof = { readonly token: string } | { readonly email: string; readonly code: string };

/** For whom, and to which address. `id` is that of the entry of the outbox that asked. */
export type Wanted = {
  readonly id: string;
  readonly purpose: Purpose;
  readonly userId: string;
  readonly emailKey: string;
};

/** A good proof: what it stands for. `codeHash` is null when it is the link. */
export type Proven = {
  readonly id: string;
  readonly userId: string;
  readonly emailKey: string;
  readonly codeHash: Uint8Array | null;
};

/** Links and codes that prove who reads the mail of an address. */
@Injectable()
export class OneTimeTokensRepository {
  /** Which rows have outlived their use. */
  readonly expired: Expired = {
    table: 'one_time_tokens',
    condition: 'created_at < now() - make_interval(secs => ?)',
    values: [lifetimeSeconds],
  };

  constructor(
    private readonly sql: Sql,
    private readonly master: MasterKey,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A new link and code; the last three of the hour are good. Nothing when the address has had
   * `MAIL_LIMIT_PER_ADDRESS` in this hour, when the user is gone, or when these were issued before:
   * an entry of the outbox may come twice.
   */
  async issue(em: SqlEntityManager, { id, purpose, userId, emailKey }: Wanted): Promise<LinkAndCode | undefined> {
    const [row] = await em.execute<{ count: number; isIssued: boolean }[]>(countOfHour, [emailKey, id, userId]);
    if (!row || row.isIssued || row.count >= this.config.MAIL_LIMIT_PER_ADDRESS) return undefined;
    const token = linkToken();
    const code = randomInt(100_000_000).toString().padStart(8, '0');
    const hashes = [digestBytes(token), this.#hashOfCode(purpose, emailKey, code)];
    await em.execute(insertToken, [id, purpose, userId, emailKey, ...hashes]);
    await em.execute(endSurplus, [userId, purpose]);
    return { token, code };
  }

  /** What a proof stands for now; it stays good. */
  find(purpose: Purpose, proof: Proof): Promise<Proven | undefined> {
    if ('token' in proof) return this.sql.row(findByToken, [purpose, digestBytes(proof.token)]);
    const emailKey = toEmailKey(proof.email);
    return this.sql.row(findByCode, [purpose, emailKey, this.#hashOfCode(purpose, emailKey, proof.code)]);
  }

  /** Uses what `find` has found, link and code together. Of uses at once one gets it. */
  async use(em: SqlEntityManager, proven: Proven): Promise<Proven | undefined> {
    // PGlite reads bytes as a bare `Uint8Array`, and MikroORM writes them as a `Buffer` alone
    const codeHash = proven.codeHash && Buffer.from(proven.codeHash);
    const used = await em.execute<unknown[]>(useOne, [proven.id, codeHash]);
    return used.length > 0 ? proven : undefined;
  }

  /** Counts a wrong code against all that are good at the address; five end a code. */
  async countWrongCode(em: SqlEntityManager, purpose: Purpose, email: string): Promise<void> {
    await em.execute(countWrongCode, [toEmailKey(email), purpose]);
  }

  /** Ends all of users: the address or the password has changed. */
  async endAll(em: SqlEntityManager, ...userIds: readonly string[]): Promise<void> {
    if (userIds.length > 0) await em.execute(endAll, [`{${userIds.join(',')}}`]);
  }

  /** All that is kept of a user's, as they may read it. */
  async *exportOf(userId: string): AsyncGenerator<Record<string, unknown>> {
    for await (const { id: _, ...token } of byPages(this.sql, exportOf, userId)) yield token;
  }

  async erase(em: SqlEntityManager, userId: string): Promise<void> {
    await em.execute('delete from one_time_tokens where user_id = ?', [userId]);
  }

  /** Keyed: eight digits could be guessed from a plain hash. */
  #hashOfCode(purpose: Purpose, emailKey: string, code: string): Buffer {
    return this.master.mac('one-time-code', `${purpose} ${code} ${emailKey}`);
  }
}
