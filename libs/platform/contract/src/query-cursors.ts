import { hash } from 'node:crypto';

import { z } from 'zod';

import { AppError } from '#libs/platform/errors';

/** Rows on a page, 1 to 100, as a query has it. */
export const pageLimitSchema = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .pipe(z.int().min(1).max(100))
  .prefault('20');

export const pageCursorSchema = z.string().max(256).optional().meta({ description: '`nextCursor` of the page before' });

const latestMs = Date.UTC(10_000, 0) - 1;
/**
 * The position in a list in order of time: Unix milliseconds, and the id where several have the
 * same.
 */
export type TimePosition = readonly [ms: number, id: string];
export const timePosition: z.ZodType<TimePosition> = z.tuple([z.int().min(0).max(latestMs), z.uuid()]);

/**
 * Cursors of one query: those of another with other filters or another order are told apart by a
 * digest of it. They are checked, not signed: a position says nothing that the page before did not.
 */
export class QueryCursors<Position extends readonly unknown[]> {
  readonly #digest: string;

  constructor(
    query: Readonly<Record<string, unknown>>,
    private readonly position: z.ZodType<Position>,
  ) {
    this.#digest = hash('sha256', JSON.stringify(Object.entries(query).toSorted(byFirst)), 'base64url').slice(0, 8);
  }

  encode(position: Position): string {
    return Buffer.from(JSON.stringify([this.#digest, ...position])).toString('base64url');
  }

  /** @throws AppError `invalid-cursor`, `cursor-of-another-query` */
  decode(cursor: string): Position {
    const [digest, ...values] = parse(cursor);
    if (typeof digest !== 'string' || !/^[\w-]{8}$/.test(digest)) throw new AppError('invalid-cursor');
    if (digest !== this.#digest) throw new AppError('cursor-of-another-query');
    const position = this.position.safeParse(values);
    if (!position.success) throw new AppError('invalid-cursor', { cause: position.error });
    return position.data;
  }

  /**
   * A page of rows of which one more than `limit` was asked for: that one tells whether a next page
   * exists.
   */
  cut<Row>(
    found: readonly Row[],
    limit: number,
    positionOf: (row: Row) => Position,
  ): { readonly rows: readonly Row[]; readonly nextCursor: string | null } {
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return { rows, nextCursor: found.length > limit && last ? this.encode(positionOf(last)) : null };
  }
}

const byFirst = ([left]: [string, unknown], [right]: [string, unknown]): number => (left < right ? -1 : 1);

function parse(cursor: string): readonly unknown[] {
  try {
    const bytes = Buffer.from(cursor, 'base64url');
    // Buffer skips what is not base64url: only the one spelling that we write is ours
    const value: unknown = bytes.toString('base64url') === cursor ? JSON.parse(bytes.toString('utf8')) : undefined;
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
