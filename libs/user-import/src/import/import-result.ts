import type { ErrorCode, FieldError } from '#libs/platform/errors';

/** What became of a row. `id` of the user that was made or found; `code` and `errors` say why it was refused. */
export type RowResult = {
  readonly row: number;
  readonly status: RowStatus;
  readonly id?: string;
  readonly code?: ErrorCode;
  readonly errors?: readonly FieldError[];
};

export type RowStatus = 'created' | 'exists' | 'updated' | 'unchanged' | 'refused';

/** The last line: what became of all rows. `stopped` says why the rows after these were not looked at. */
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
