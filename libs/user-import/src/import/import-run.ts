import { isUser, type RequestSource } from '#libs/platform/access';
import type { ErrorCode, FieldError } from '#libs/platform/errors';
import { type ExistingUser, idInSubject } from '#libs/users';

import type { PreparedRow } from './prepare-row.js';

export type ImportOptions = {
  readonly who: RequestSource | 'operator';
  /** Roles that rows may give; `any` are all that there are. */
  readonly grantable: readonly string[] | 'any';
  /** Whether rows may have user names that are reserved. */
  readonly reservedNames: 'taken' | 'refused';
  readonly onExisting: 'skip' | 'update';
  /** `dry-run` checks everything and writes nothing; it keeps the keys of all rows in memory. */
  readonly commit: 'write' | 'dry-run';
  /** Ends the import after the batch that is being written. */
  readonly signal: AbortSignal;
};

/** What rows may give, by who sends them. An administrator may import administrators. */
export const importRights = {
  administrator: { grantable: 'any', reservedNames: 'taken' },
  service: { grantable: ['user'], reservedNames: 'refused' },
} as const;

export type RowStatus = 'created' | 'exists' | 'updated' | 'unchanged' | 'refused';

/** The result of a row. `id` is of the user; `code` and `errors` say why the row was refused. */
export type RowResult = {
  readonly row: number;
  readonly status: RowStatus;
  readonly id?: string;
  readonly code?: ErrorCode;
  readonly errors?: readonly FieldError[];
};

/** The last line of an answer counts the results. `stopped` says why later rows were not read. */
export type ImportSummary = Readonly<Record<'rows' | RowStatus, number>> & {
  readonly done: boolean;
  readonly stopped?: { readonly code: ErrorCode; readonly detail: string };
};

export const refused = (row: number, code: ErrorCode, errors?: readonly FieldError[]): RowResult => ({
  row,
  status: 'refused',
  code,
  ...(errors && { errors }),
});

/** The state of one import. */
export class ImportRun {
  readonly who: ImportOptions['who'];
  readonly isDry: boolean;
  readonly onExisting: ImportOptions['onExisting'];
  /** The transaction of each batch that was inserted. */
  readonly #marks = new Set<string>();
  readonly #rehearsed = new Set<string>();

  constructor({ who, commit, onExisting }: ImportOptions) {
    this.who = who;
    this.isDry = commit === 'dry-run';
    this.onExisting = onExisting;
  }

  /** The user who imports, if it is one. */
  get callerId(): string | undefined {
    return this.who !== 'operator' && isUser(this.who.caller) ? this.who.caller.userId : undefined;
  }

  /**
   * Runs before each commit, so that whatever ends the caller's trust ends the import too.
   * @throws AppError what the guard says of the caller now
   */
  readonly assertTrusted = async (): Promise<void> => {
    if (this.who !== 'operator') await this.who.callerNow();
  };

  /** @param mark the transaction of a batch: some bytes for 1,000 rows, however long it goes on */
  addMark(mark: string): void {
    this.#marks.add(mark);
  }

  /**
   * Whether this import made a user. A user who was changed since then counts as one who was there
   * before.
   */
  isOwn({ mark }: ExistingUser): boolean {
    return this.#marks.has(mark);
  }

  /** What would become of a row that collides with no user that exists. */
  rehearse({ row, user, hasId }: PreparedRow): RowResult {
    const has = (kind: string, key: string | null | undefined): boolean =>
      typeof key === 'string' && this.#rehearsed.has(kind + key);
    const { id, subject, externalId, emailKey } = user;
    const idInSub = idInSubject(subject);
    if (has('n', user.userNameKey) || has('x', externalId)) return refused(row, 'duplicate-row');
    if (hasId && (has('i', id) || has('u', id))) return refused(row, 'id-taken');
    if (has('s', subject) || (idInSub !== id && has('i', idInSub))) return refused(row, 'subject-taken');
    if (has('e', emailKey)) return refused(row, 'email-taken');
    // the ids made here are in no other row
    const keys = { n: user.userNameKey, x: externalId, i: hasId ? id : null, s: subject, u: idInSub, e: emailKey };
    for (const [kind, key] of Object.entries(keys)) {
      if (typeof key === 'string') this.#rehearsed.add(kind + key);
    }
    return { row, status: 'created' };
  }
}
