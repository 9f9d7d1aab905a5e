import { Readable } from 'node:stream';
import { constants, createGunzip, gzipSync } from 'node:zlib';

import type { BulkUser, ExistingUser } from '#libs/users';

import type { ImportSummary } from './import-run.js';

/*
 * How an import resumes: the client sends the same rows again. No state of an import that was cut
 * off is stored.
 * - `ExistingUsers` finds the users that an earlier run has made; their rows are skipped.
 * - `ImportRecord` keeps the whole answer of an import that was done, when the client sent an
 *   `Idempotency-Key`; `replayed` answers it again.
 */

/** The users whom the rows of a batch mean, or collide with. */
export class ExistingUsers {
  readonly #byId: ReadonlyMap<string, ExistingUser>;
  readonly #byExternalId: ReadonlyMap<string | null, ExistingUser>;
  readonly #byName: ReadonlyMap<string, ExistingUser>;
  readonly #byEmail: ReadonlyMap<string | null, ExistingUser>;

  constructor(users: readonly ExistingUser[]) {
    this.#byId = new Map(users.map((user) => [user.id, user]));
    this.#byExternalId = new Map(users.map((user) => [user.external_id, user]));
    this.#byName = new Map(users.map((user) => [user.user_name_key, user]));
    this.#byEmail = new Map(users.map((user) => [user.email_key, user]));
  }

  /**
   * Finds the user of a row by its external id, else by its user name. When the row is of nobody
   * who exists, says which of its values somebody else has.
   */
  match({ externalId, userNameKey, emailKey }: BulkUser): ExistingUser | 'user-name-taken' | 'email-taken' | undefined {
    const user = (externalId !== null && this.#byExternalId.get(externalId)) || this.#byName.get(userNameKey);
    if (!user) return this.withEmail(emailKey) ? 'email-taken' : undefined;
    // One name with two external ids is two people.
    const isSomebodyElse = externalId !== null && user.external_id !== null && externalId !== user.external_id;
    return isSomebodyElse ? 'user-name-taken' : user;
  }

  emailKeyOf(userId: string): string | null {
    return this.#byId.get(userId)?.email_key ?? null;
  }

  withEmail(emailKey: string | null): ExistingUser | undefined {
    return emailKey === null ? undefined : this.#byEmail.get(emailKey);
  }
}

/** Some 250,000 rows. Of a longer answer only the last line is kept. */
const keptBytes = 4_194_304;

/** The lines of an answer, gzipped and in base64, or its last line alone. */
export type KeptLines = { readonly lines: string } | { readonly summary: ImportSummary };

/** Collects the answer of an import while it goes out, and keeps it when the import is done. */
export class ImportRecord {
  #parts: Buffer[] | undefined = [];
  #length = 0;

  /** @param keep stores the answer under the client's `Idempotency-Key` */
  constructor(private readonly keep: (kept: KeptLines) => Promise<void>) {}

  /** The lines of a batch are 75 KB, and gzip takes a millisecond for them. */
  add(text: string): void {
    if (!this.#parts || text === '') return;
    const part = gzipSync(text, { level: constants.Z_BEST_SPEED });
    this.#length += part.length;
    if (this.#length > keptBytes) this.#parts = undefined;
    else this.#parts.push(part);
  }

  /** Keeps nothing of an import that was stopped: a retry has to bring in the rest of its rows. */
  async end(summary: ImportSummary): Promise<void> {
    if (!summary.done) return;
    this.add(lastLine(summary));
    await this.keep(this.#parts ? { lines: Buffer.concat(this.#parts).toString('base64') } : { summary });
  }
}

export const lastLine = (summary: ImportSummary & { readonly linesKept?: false }): string =>
  `${JSON.stringify(summary)}\n`;

/** The answer as it was. When it was too long to be kept, a last line that says so. */
export function replayed(kept: KeptLines): Readable {
  if ('summary' in kept) return Readable.from([lastLine({ ...kept.summary, linesKept: false })], { objectMode: false });
  return Readable.from([Buffer.from(kept.lines, 'base64')]).pipe(createGunzip());
}
