import { hash } from 'node:crypto';

import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { AppError } from '#libs/platform/errors';

import { toPublicPath } from './routes/public-path.js';

const position = z.tuple([z.int().min(0), z.uuid()]);

/** Rows on a page, 1 to 100, as a query has it. */
export const pageLimitSchema = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .pipe(z.int().min(1).max(100))
  .prefault('20');

export const pageCursorSchema = z.string().max(256).optional().meta({ description: '`nextCursor` of the page before' });

/** The last row of a page: where the next one goes on. */
export type Position = { readonly ms: number; readonly id: string };

export const encodeCursor = ({ ms, id }: Position): string =>
  Buffer.from(JSON.stringify([ms, id] satisfies z.infer<typeof position>)).toString('base64url');

/** @throws AppError `invalid-cursor` */
export function decodeCursor(cursor: string): Position {
  try {
    const [ms, id] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { ms, id };
  } catch (cause) {
    throw new AppError('invalid-cursor', { cause });
  }
}

/**
 * A page of what was found: one row more than `limit` was asked for, which tells whether a next page exists. `next` is the
 * cursor of the last row, if there is one.
 */
export function cutPage<Row>(
  found: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position,
): { readonly rows: readonly Row[]; readonly nextCursor: string | null } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: found.length > limit && last ? encodeCursor(positionOf(last)) : null };
}

/**
 * Cursors of one query: those of another with other filters or another order are told apart by a digest of it.
 * They are checked, not signed: a position says nothing that the page before did not.
 */
export class QueryCursors<Values extends readonly unknown[]> {
  readonly #digest: string;

  constructor(
    query: Readonly<Record<string, unknown>>,
    private readonly position: z.ZodType<Values>,
  ) {
    this.#digest = hash('sha256', JSON.stringify(Object.entries(query).toSorted(byFirst)), 'base64url').slice(0, 8);
  }

  encode(position: Values): string {
    return Buffer.from(JSON.stringify([this.#digest, ...position])).toString('base64url');
  }

  /** @throws AppError `invalid-cursor`, `cursor-of-another-query` */
  decode(cursor: string): Values {
    const [digest, ...values] = parse(cursor);
    if (typeof digest !== 'string' || !/^[\w-]{8}$/.test(digest)) throw new AppError('invalid-cursor');
    if (digest !== this.#digest) throw new AppError('cursor-of-another-query');
    const position = this.position.safeParse(values);
    if (!position.success) throw new AppError('invalid-cursor', { cause: position.error });
    return position.data;
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

/** Names the next page in the `Link` header (RFC 8288): the same query with another cursor. */
export function linkNext(reply: FastifyReply, nextCursor: string | null): void {
  if (nextCursor === null) return;
  const [path = '', query = ''] = reply.request.url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', nextCursor);
  void reply.header('link', `<${toPublicPath(reply, path)}?${parameters.toString()}>; rel="next"`);
}
