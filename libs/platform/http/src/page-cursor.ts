import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { AppError } from '#libs/platform/errors';

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

/** Names the next page in the `Link` header (RFC 8288): the same query with another cursor. */
export function linkNext(reply: FastifyReply, nextCursor: string | null): void {
  if (nextCursor === null) return;
  const [path = '', query = ''] = reply.request.url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', nextCursor);
  void reply.header('link', `<${path}?${parameters.toString()}>; rel="next"`);
}
