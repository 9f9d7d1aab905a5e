import type { ErrorCode } from '#libs/platform/errors';

/** A row as it was read, counted from 1, or why it could not be read. */
export type SourceRow =
  | { readonly row: number; readonly value: unknown }
  | { readonly row: number; readonly fault: ErrorCode; readonly message: string };

/** Some rows at a time: a promise for each would cost more than reading it. */
export type SourceRows = AsyncIterable<readonly SourceRow[]>;

/** Far more than the longest row that could be taken. */
export const maxRowBytes = 16_384;

export type Bytes = AsyncIterable<Uint8Array>;
