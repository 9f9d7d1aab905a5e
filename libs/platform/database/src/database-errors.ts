import { UniqueConstraintViolationException } from '@mikro-orm/sql';

const connectionFailed = 'connection-failed';

/**
 * A connection could not be made, or the server at its end is none to work with; `message` names
 * the server and why.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** An own property, so that the ORM's errors, which copy those, carry it on. */
  readonly code = connectionFailed;

  constructor(where: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(cause instanceof ConnectionError ? why : `PostgreSQL at ${where} cannot be used: ${why}`, { cause });
  }
}

/**
 * SQLSTATE by class or in full, and codes of system errors, that mean "not now", not "the query is
 * wrong" (PostgreSQL, appendix A). Whatever fails while a connection is made is among them.
 */
const notNow: readonly string[] = [
  connectionFailed,
  '08', // connection exceptions; all that PgBouncer says of itself
  '25006', // read-only: an operator's act, or a standby
  '25P03', // too long idle in a transaction
  '25P04', // too long a transaction
  '28', // credentials that do not hold any more
  '3D000', // the database is being restored
  '40', // serialization, deadlock, unknown completion
  '53', // out of connections, memory, disk
  '55006', // object in use
  '55P03', // a lock not had in time
  '57', // cancelled, shutting down, starting up
  '58', // errors of the server's system
  'F0', // configuration file
  'ECONN',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
];
/** Errors of pg and its pool that have no code. */
const notNowTexts =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|is not queryable|Cannot use a pool/;
/** Everything was rolled back, and may go better the next time. */
const conflicts: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Whether an error of the driver or the ORM says that the database cannot be had now. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    notNow.some((start) => code.startsWith(start)) || notNowTexts.test(error.message) || isUnavailable(error.cause)
  );
}

/** Whether a transaction lost against another one, so that it may be tried again as a whole. */
export const isConflict = (error: unknown): boolean => error instanceof Error && conflicts.has(codeOf(error));

/** Whether a lock was not had in time. */
export const isLockTimeout = (error: unknown): boolean => error instanceof Error && codeOf(error) === '55P03';

/** By the name of a constraint: the error that its violation means to the caller. */
type ConstraintErrors = Readonly<Record<string, (violation: unknown) => Error>>;

/**
 * Gives what to catch the errors of a write with: a violated constraint of the table becomes its
 * error.
 */
export function rethrowViolation(errors: ConstraintErrors): (error: unknown) => never {
  return (error) => {
    const name = violatedConstraint(error);
    throw (name === undefined ? undefined : errors[name]?.(error)) ?? error;
  };
}

/** Its name; a unique one, or any one through `Sql`. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const name: unknown = Reflect.get(error, 'constraint');
  if (typeof name === 'string') return name;
  return error instanceof UniqueConstraintViolationException
    ? /constraint "([^"]+)"/.exec(error.message)?.[1]
    : undefined;
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');
