import { z } from 'zod';

import { AppError } from '#libs/platform/errors';

/** What the database can compare with: `xid8` and `bigint`. */
const transactionId = numberUpTo(2n ** 64n - 1n);
const rowId = numberUpTo(2n ** 63n - 1n);
const epoch = z.string().regex(/^[\w-]{22}$/);
const cursorPosition = z.tuple([epoch, transactionId]);
const pagePosition = z.tuple([epoch, transactionId, transactionId, rowId]);

/** Every entry of a transaction before the horizon has been told to whoever has the cursor. */
export type FeedCursor = { readonly epoch: string; readonly horizon: bigint };

/** Where a walk goes on: entries from a horizon on, after an id. `cursor` is the walk's. */
export type FeedPage = { readonly cursor: FeedCursor; readonly from: bigint; readonly afterId: string };

export const encodeCursor = ({ epoch, horizon }: FeedCursor): string => encode([epoch, `${horizon}`]);

/** @throws AppError `invalid-cursor`, `feed-reset` when it is of another epoch */
export function decodeCursor(text: string, now: FeedCursor): FeedCursor {
  const [of, horizon] = parse(cursorPosition, text);
  return sameHistory({ epoch: of, horizon: BigInt(horizon) }, now);
}

export const encodePage = ({ cursor: { epoch, horizon }, from, afterId }: FeedPage): string =>
  encode([epoch, `${horizon}`, `${from}`, afterId]);

/** @throws as `decodeCursor` */
export function decodePage(text: string, now: FeedCursor): FeedPage {
  const [of, horizon, from, afterId] = parse(pagePosition, text);
  return { cursor: sameHistory({ epoch: of, horizon: BigInt(horizon) }, now), from: BigInt(from), afterId };
}

/** A horizon ahead of today's is of a history that the database has gone back behind. */
function sameHistory(cursor: FeedCursor, now: FeedCursor): FeedCursor {
  if (cursor.epoch !== now.epoch || cursor.horizon > now.horizon) throw new AppError('feed-reset');
  return cursor;
}

const encode = (position: readonly string[]): string => Buffer.from(JSON.stringify(position)).toString('base64url');

function numberUpTo(largest: bigint): z.ZodType<string> {
  return z
    .string()
    .regex(/^\d{1,20}$/)
    .refine((text) => BigInt(text) <= largest);
}

function parse<Position>(schema: z.ZodType<Position>, text: string): Position {
  try {
    const bytes = Buffer.from(text, 'base64url');
    // Buffer skips what is not base64url: only the one spelling that we write is ours
    if (bytes.toString('base64url') === text) return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new AppError('invalid-cursor', { cause });
  }
  throw new AppError('invalid-cursor');
}
