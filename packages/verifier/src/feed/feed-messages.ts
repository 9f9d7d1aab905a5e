import { type RevocationKind, revocationKinds } from '../revocations/index.js';
import { FeedFailure } from './feed-failure.js';

/** An entry that was read. `kind` is absent when we do not know it. Unix seconds. */
export type FeedEntry = {
  readonly kind: RevocationKind | undefined;
  readonly subject: string;
  /** Tokens below this generation are ended; absent: all of them. */
  readonly below: number | undefined;
  readonly expiresAt: number;
};

/** Where the feed stands. */
export type FeedPosition = { readonly cursor: string; readonly epoch: string };

/** `entries` are read one by one, since one that is malformed does not take back the others. */
export type FeedPage = FeedPosition & {
  readonly heartbeatMs: number;
  readonly items: readonly unknown[];
  readonly nextPage: string | undefined;
};

export type FeedHeartbeat = FeedPosition & { readonly sentMs: number };

type Members = Readonly<Record<string, unknown>>;

const kinds: ReadonlySet<unknown> = new Set(revocationKinds);
const isKind = (kind: unknown): kind is RevocationKind => kinds.has(kind);
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
/** The table keeps seconds and generations in 32 bits. */
const limitSeconds = 0xffff_ffff;
const limitGeneration = 0x7fff_ffff;
/** Whatever the issuer says: more often costs it too much, less often is not known as alive. */
const heartbeatBoundsMs = { least: 100, most: 30_000 };

/** @returns nothing when it cannot be read */
export function readEntry(value: unknown): FeedEntry | undefined {
  if (!isObject(value)) return undefined;
  const { kind, subject, below, expiresAt } = value;
  if (typeof kind !== 'string' || typeof subject !== 'string' || subject === '') return undefined;
  const expiresAtSeconds = readSeconds(expiresAt);
  if (!isGeneration(below) || expiresAtSeconds === undefined) return undefined;
  return {
    kind: isKind(kind) ? kind : undefined,
    subject,
    below: below === null ? undefined : Math.min(below, limitGeneration),
    expiresAt: expiresAtSeconds,
  };
}

/** @throws FeedFailure `malformed` */
export function readPage(value: unknown): FeedPage {
  const page = members(value);
  const { heartbeatMs, items, nextPage } = page;
  if (!Array.isArray(items)) throw malformed('`items`');
  if (nextPage !== null && typeof nextPage !== 'string') throw malformed('`nextPage`');
  if (typeof heartbeatMs !== 'number') throw malformed('`heartbeatMs`');
  const { least, most } = heartbeatBoundsMs;
  return {
    ...readPosition(page),
    heartbeatMs: Math.min(Math.max(heartbeatMs, least), most),
    items,
    nextPage: nextPage ?? undefined,
  };
}

/** @throws FeedFailure `malformed` */
export function readHeartbeat(value: unknown): FeedHeartbeat {
  const heartbeat = members(value);
  const { sentMs } = heartbeat;
  if (typeof sentMs !== 'number' || !Number.isFinite(sentMs)) throw malformed('`sentMs` of a heartbeat');
  return { ...readPosition(heartbeat), sentMs };
}

/** @throws FeedFailure `malformed` */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('JSON');
  }
}

function readPosition({ cursor, epoch }: Members): FeedPosition {
  if (typeof cursor !== 'string' || cursor === '') throw malformed('`cursor`');
  if (typeof epoch !== 'string' || epoch === '') throw malformed('`epoch`');
  return { cursor, epoch };
}

const isGeneration = (below: unknown): below is number | null =>
  below === null || (typeof below === 'number' && Number.isInteger(below) && below >= 0);

function readSeconds(instant: unknown): number | undefined {
  const ms = typeof instant === 'string' && rfc3339.test(instant) ? Date.parse(instant) : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, Math.ceil(ms / 1_000)), limitSeconds);
}

function members(value: unknown): Members {
  if (isObject(value)) return value;
  throw malformed('object');
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (what: string): FeedFailure => new FeedFailure('malformed', `The feed has no good ${what}.`);
