import { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';

import { lockOneOf, Sql, type Statement } from '#libs/platform/database';

import type { Pictures, PictureSize } from './picture-maker.js';

/** One file of a row: its bytes, or that they are in the object store. */
export type StoredFile = { readonly bytes: Buffer } | 'external';

const byHash = (size: PictureSize): Statement => ({
  name: `avatar-${size}`,
  text: `select w${size} as bytes from avatars where hash = $1 and unlinked_since is null`,
});
const statements: Readonly<Record<PictureSize, Statement>> = { 64: byHash(64), 256: byHash(256), 512: byHash(512) };

const linked: Statement = {
  name: 'avatar-linked',
  text: 'select exists (select from avatars where hash = $1 and unlinked_since is null) as linked',
};

const graceMinutes = 10;
const forgotten: Statement = {
  text: `select hash from avatars where unlinked_since < now() - make_interval(mins => ${graceMinutes}) limit $1`,
};
const deletions: Statement = { text: 'select hash from avatar_deletions order by requested_at limit $1' };
const batchRows = 100;

/**
 * The tables `avatars` and `avatar_deletions`. Whoever links or releases a picture holds the lock
 * of its hash to the end of the transaction; the trigger on `users` takes the same lock.
 */
@Injectable()
export class PicturesRepository {
  constructor(
    private readonly sql: Sql,
    private readonly em: SqlEntityManager,
  ) {}

  async findFile(hash: Buffer, size: PictureSize): Promise<StoredFile | undefined> {
    const row = await this.sql.row<{ bytes: Uint8Array | null }>(statements[size], [hash]);
    if (!row) return undefined;
    // a copy: a slice of the driver's buffer would keep the whole buffer alive
    return row.bytes === null ? 'external' : { bytes: Buffer.from(new Uint8Array(row.bytes).buffer) };
  }

  /** Whether the picture has an owner. */
  async isLinked(hash: Buffer): Promise<boolean> {
    return (await this.sql.row<{ linked: boolean }>(linked, [hash]))?.linked === true;
  }

  /**
   * Keeps the files, or a row without them when they go to the object store.
   * @returns whether they were there already, with an owner
   */
  keep({ hash, files }: Pictures, where: 'here' | 'external'): Promise<boolean> {
    const [small, middle, large] = where === 'here' ? files.values() : [];
    return this.em.fork().transactional(async (em) => {
      await lock(em, [hash]);
      const written = await em.execute<unknown[]>(
        `insert into avatars (hash, w64, w256, w512, unlinked_since) values (?, ?, ?, ?, now())
         on conflict (hash) do update set w64 = excluded.w64, w256 = excluded.w256, w512 = excluded.w512,
           unlinked_since = now() where avatars.unlinked_since is not null
         returning 1`,
        [hash, small ?? null, middle ?? null, large ?? null],
      );
      return written.length === 0;
    });
  }

  /**
   * Locks both hashes until the transaction ends, in one order for all, and marks `to` as linked.
   * @returns whether the files of `to` are still there
   */
  async link(em: SqlEntityManager, from: Buffer | undefined, to: Buffer): Promise<boolean> {
    await lock(em, from ? [from, to] : [to]);
    const text = 'update avatars set unlinked_since = null where hash = ? returning 1';
    return (await em.execute<unknown[]>(text, [to])).length > 0;
  }

  /** Removes rows that nobody linked in time. @returns how many */
  removeForgotten(): Promise<number> {
    return this.#eachLocked(forgotten, async (em, hash) => {
      await em.execute('select avatar_release(?)', [hash]);
    });
  }

  /**
   * Calls `remove` for each picture whose objects nobody owns any more. One that has an owner again
   * is spared, and nobody can link one while it is being removed.
   * @returns how many rows were read
   */
  removeExternal(remove: (hash: Buffer) => Promise<void>): Promise<number> {
    return this.#eachLocked(deletions, async (em, hash) => {
      const [deletion] = await em.execute<{ is_back: boolean }[]>(
        `delete from avatar_deletions d where hash = ?
         returning exists (select from avatars a where a.hash = d.hash) as is_back`,
        [hash],
      );
      if (deletion?.is_back === false) await remove(hash);
    });
  }

  /** Handles each hash that a statement finds in a transaction that holds the lock of the hash. */
  async #eachLocked(found: Statement, handle: (em: SqlEntityManager, hash: Buffer) => Promise<void>): Promise<number> {
    const rows = await this.sql.rows<{ hash: Uint8Array }>(found, [batchRows]);
    for (const row of rows) {
      const hash = Buffer.from(row.hash);
      await this.em.fork().transactional(async (em) => {
        await lock(em, [hash]);
        await handle(em, hash);
      });
    }
    return rows.length;
  }
}

async function lock(em: SqlEntityManager, hashes: readonly Buffer[]): Promise<void> {
  const keys = [...new Set(hashes.map((hash) => hash.readInt32BE(0)))].toSorted((left, right) => left - right);
  for (const key of keys) await lockOneOf(em, 'pictures', key);
}
