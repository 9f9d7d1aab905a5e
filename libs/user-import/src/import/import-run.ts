import { isUser, type RequestSource } from '#libs/platform/access';
import type { ErrorCode, FieldError } from '#libs/platform/errors';

import type { PreparedRow } from './prepare-row.js';

export type ImportOptions = {
  readonly who: RequestSource | 'operator';
  /** Roles that rows may give. */
  readonly grantable: readonly string[];
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
  administrator: { grantable: ['user', 'admin'], reservedNames: 'taken' },
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
  readonly #firstId: string;
  readonly #rehearsed = new Set<string>();

  constructor({ who, commit, onExisting }: ImportOptions, now: number) {
    this.who = who;
    this.isDry = commit === 'dry-run';
    this.onExisting = onExisting;
    const hex = now.toString(16).padStart(12, '0');
    this.#firstId = `${hex.slice(0, 8)}-${hex.slice(8)}`;
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

  /** Whether a user was made since the import began: ids are UUIDv7, which start with the time. */
  isOwn(id: string): boolean {
    return id >= this.#firstId;
  }

  /** What would become of a row that collides with no user that exists. */
  rehearse({ row, user }: PreparedRow): RowResult {
    const [name, external, email] = [`n${user.userNameKey}`, `x${user.externalId}`, `e${user.emailKey}`];
    if (this.#rehearsed.has(name) || (user.externalId !== null && this.#rehearsed.has(external))) {
      return refused(row, 'duplicate-row');
    }
    if (user.emailKey !== null && this.#rehearsed.has(email)) return refused(row, 'email-taken');
    for (const key of [name, external, email]) this.#rehearsed.add(key);
    return { row, status: 'created' };
  }
}
