import { Readable } from 'node:stream';
import { constants, createGunzip, gzipSync } from 'node:zlib';

import type { FieldError } from '#libs/platform/errors';
import { type BulkUser, type ExistingUser, idInSubject, type UserKeys } from '#libs/users';

import type { ImportSummary } from './import-run.js';
import type { PreparedRow } from './prepare-row.js';

/*
 * How an import resumes: the client sends the same rows again. No state of an import that was cut
 * off is stored.
 * - `ExistingUsers` finds the users that an earlier run has made; their rows are skipped.
 * - `ImportRecord` keeps the whole answer of an import that was done, when the client sent an
 *   `Idempotency-Key`; `replayed` answers it again.
 */

/**
 * What tells who a user is, the strongest first. An address is none: addresses may change hands.
 */
const takenCodes = {
  id: 'id-taken',
  subject: 'subject-taken',
  externalId: 'external-id-taken',
  userName: 'user-name-taken',
} as const;
type Identity = keyof typeof takenCodes;

/** The user whom a row means, and by what it was found. */
export type Match = { readonly user: ExistingUser; readonly by: Identity };
/** Why a row can neither be written nor means a user who exists. */
export type Collision = {
  readonly code: (typeof takenCodes)[Identity] | 'email-taken';
  readonly errors?: readonly FieldError[];
};

/** What the users of rows are found by. Ids that were made here are nobody's yet. */
export function keysOf(rows: readonly PreparedRow[]): UserKeys {
  const users = rows.map(({ user }) => user);
  const givenIds = rows.filter(({ hasId }) => hasId).map(({ user }) => user.id);
  return {
    ids: [...givenIds, ...present(users.map(({ subject }) => idInSubject(subject) ?? null))],
    subjects: [...givenIds, ...present(users.map(({ subject }) => subject))],
    externalIds: present(users.map(({ externalId }) => externalId)),
    userNameKeys: users.map(({ userNameKey }) => userNameKey),
    emailKeys: present(users.map(({ emailKey }) => emailKey)),
  };
}

const present = (values: readonly (string | null)[]): string[] => values.filter((value) => value !== null);

/** The users whom the rows of a batch mean, or collide with. */
export class ExistingUsers {
  readonly #byId: ReadonlyMap<string, ExistingUser>;
  readonly #bySubject: ReadonlyMap<string, ExistingUser>;
  readonly #byExternalId: ReadonlyMap<string | null, ExistingUser>;
  readonly #byName: ReadonlyMap<string, ExistingUser>;
  readonly #byEmail: ReadonlyMap<string | null, ExistingUser>;

  constructor(users: readonly ExistingUser[]) {
    this.#byId = new Map(users.map((user) => [user.id, user]));
    this.#bySubject = new Map(users.map((user) => [user.sub, user]));
    this.#byExternalId = new Map(users.map((user) => [user.external_id, user]));
    this.#byName = new Map(users.map((user) => [user.user_name_key, user]));
    this.#byEmail = new Map(users.map((user) => [user.email_key, user]));
  }

  /**
   * Finds the user of a row by its id, else its subject, external id or user name. All that the row
   * says must be of one user, but for a name that nobody has, which is a new one.
   * @returns nothing when the row is of nobody who exists, and nothing stands in its way
   */
  match(prepared: PreparedRow): Match | Collision | undefined {
    const { user, hasId, hasSubject } = prepared;
    const found: (readonly [by: Identity, user: ExistingUser | undefined])[] = [
      ['id', hasId ? this.#byId.get(user.id) : undefined],
      ['subject', hasSubject ? this.#bySubject.get(subOf(user)) : undefined],
      ['externalId', user.externalId === null ? undefined : this.#byExternalId.get(user.externalId)],
      ['userName', this.#byName.get(user.userNameKey)],
    ];
    const [first, ...others] = found.flatMap(([by, known]): Match[] => (known ? [{ by, user: known }] : []));
    if (!first) return this.#obstacleOf(prepared);
    const other = others.find((match) => match.user !== first.user);
    if (other) return collision(other.by, other.by, `is of another user than the ${first.by}`);
    const unlike = contradictionOf(prepared, first.user);
    return unlike ? collision(first.by, unlike, `the user found by the ${first.by} has another, which stays`) : first;
  }

  emailKeyOf(userId: string): string | null {
    return this.#byId.get(userId)?.email_key ?? null;
  }

  withEmail(emailKey: string | null): ExistingUser | undefined {
    return emailKey === null ? undefined : this.#byEmail.get(emailKey);
  }

  #obstacleOf({ user, hasId }: PreparedRow): Collision | undefined {
    if (hasId && this.#bySubject.has(user.id)) return collision('id', 'id', 'is the subject of another user');
    const idInSub = idInSubject(user.subject);
    if (idInSub !== undefined && this.#byId.has(idInSub)) {
      return collision('subject', 'subject', 'is written like the id of another user');
    }
    return this.withEmail(user.emailKey) ? { code: 'email-taken' } : undefined;
  }
}

const subOf = ({ id, subject }: BulkUser): string => subject ?? id;

/** What a row says of its user, and is not so: one name with two external ids is two people. */
function contradictionOf({ user, hasId, hasSubject }: PreparedRow, existing: ExistingUser): Identity | undefined {
  if (hasId && user.id !== existing.id) return 'id';
  if (hasSubject && subOf(user) !== existing.sub) return 'subject';
  const { externalId } = user;
  const isUnlike = externalId !== null && existing.external_id !== null && externalId !== existing.external_id;
  return isUnlike ? 'externalId' : undefined;
}

function collision(by: Identity, path: Identity, message: string): Collision {
  const code = takenCodes[by];
  return { code, errors: [{ path, message, code }] };
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
