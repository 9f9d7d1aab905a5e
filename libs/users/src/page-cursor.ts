import { z } from 'zod';

import { AppError } from '#libs/platform/errors';

const position = z.tuple([z.int().min(0), z.uuid()]);

/** The last row of a page: where the next one goes on. */
export type Position = { readonly createdMs: number; readonly id: string };

export const encodeCursor = ({ createdMs, id }: Position): string =>
  Buffer.from(JSON.stringify([createdMs, id] satisfies z.infer<typeof position>)).toString('base64url');

/** @throws AppError `invalid-cursor` */
export function decodeCursor(cursor: string): Position {
  try {
    const [createdMs, id] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { createdMs, id };
  } catch (cause) {
    throw new AppError('invalid-cursor', { cause });
  }
}
