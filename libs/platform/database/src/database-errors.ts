import { UniqueConstraintViolationException } from '@mikro-orm/sql';

/** Classes of SQLSTATE and of system error that mean "the database cannot be had now", not "the query is wrong". */
const unavailable = /^(08|53|57P|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENOENT$)/;
const unavailableTexts =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|statement timeout|is not queryable/;

/** Whether an error of the driver or the ORM says that the database cannot be had now. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unavailable.test(code) || unavailableTexts.test(error.message) || isUnavailable(error.cause);
}

/** The name of the constraint that a write violated, if that is what happened: a unique one, or any one through `Sql`. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const name: unknown = Reflect.get(error, 'constraint');
  if (typeof name === 'string') return name;
  return error instanceof UniqueConstraintViolationException
    ? /constraint "([^"]+)"/.exec(error.message)?.[1]
    : undefined;
}

/** Whether a statement on the driver itself (`Sql`) violated a unique constraint. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23505';
