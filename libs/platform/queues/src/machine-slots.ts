import { randomUUID } from 'node:crypto';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';

/** A slot or a wish this old was left by a process that was killed: a hash takes some 20 ms. */
const staleMs = 3_000;
const refreshMs = 1_000;

/** A slot of this machine; `release` is idempotent. */
export type Slot = { readonly keep: () => void; readonly release: () => void };
export const uncounted: Slot = { keep: () => undefined, release: () => undefined };

/**
 * So many slots for all processes of one user on one machine, as files of a folder that only that user can open.
 * Soft by intent: after a kill or a long pause one work too many may run for a moment, but no slot is ever lost.
 */
export class MachineSlots {
  readonly #wish: string;
  #wishedAt = 0;

  private constructor(
    private readonly folder: string,
    private readonly count: number,
  ) {
    this.#wish = join(folder, `wanted-${randomUUID()}`);
  }

  /** Undefined where there is no such folder to be had: the caller then counts for itself only. */
  static open(count: number, name: string, parent = tmpdir()): MachineSlots | undefined {
    const folder = join(parent, `${name}-${getuid?.() ?? 'user'}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { uid, mode } = lstatSync(folder);
      // in a folder of somebody else's, they could take all slots
      const isOurs = getuid === undefined || (uid === getuid() && (mode & 0o077) === 0);
      return isOurs ? new MachineSlots(folder, count) : undefined;
    } catch {
      return undefined;
    }
  }

  /** A free slot; without one the wish for it is left for others to see, and the caller asks again. */
  tryTake(): Slot | undefined {
    for (let index = 0; index < this.count; index++) {
      const file = join(this.folder, `slot-${index}`);
      if (isStale(file)) rmSync(file, { force: true });
      const made = create(file);
      if (made === 'taken') continue;
      this.forgetWish();
      // a full disk or a folder that was swept away must not keep work from being done
      return made === 'made' ? slotOf(file) : uncounted;
    }
    if (Date.now() - this.#wishedAt > refreshMs) this.#leaveWish();
    return undefined;
  }

  /** Whether another process waits for a slot. */
  get isWanted(): boolean {
    return namesIn(this.folder).some((name) => {
      const file = join(this.folder, name);
      return name.startsWith('wanted-') && file !== this.#wish && !isStale(file);
    });
  }

  forgetWish(): void {
    if (this.#wishedAt === 0) return;
    this.#wishedAt = 0;
    rmSync(this.#wish, { force: true });
  }

  #leaveWish(): void {
    this.#wishedAt = Date.now();
    if (create(this.#wish) === 'taken') touch(this.#wish);
  }
}

function slotOf(file: string): Slot {
  let touchedAt = Date.now();
  return {
    keep: () => {
      if (Date.now() - touchedAt < refreshMs) return;
      touchedAt = Date.now();
      touch(file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

function create(file: string): 'made' | 'taken' | 'failed' {
  try {
    closeSync(openSync(file, 'wx', 0o600));
    return 'made';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EEXIST' ? 'taken' : 'failed';
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const touch = (file: string): void => {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // somebody thought us dead and took it over
  }
};

function isStale(file: string): boolean {
  const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
  return Date.now() - mtimeMs > staleMs;
}
