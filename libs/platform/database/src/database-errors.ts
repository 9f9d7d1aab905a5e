import { UniqueConstraintViolationException } from '@mikro-orm/sql';

/** Classes of SQLSTATE and of system error that mean "the database cannot be had now", not "the query is wrong". */
const unavailable = /^(08|53|57P|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENOENT$)/;
const unavailableTexts =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|statement timeout/;

/** Whether an error of the driver or the ORM says that the database cannot be had now. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unavailable.test(code) || unavailableTexts.test(error.message) || isUnavailable(error.cause);
}

/** The name of the unique constraint that a write violated, if that is what happened. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof UniqueConstraintViolationException)) return undefined;
  const cause: unknown = Reflect.get(error, 'constraint');
  return typeof cause === 'string' ? cause : /constraint "([^"]+)"/.exec(error.message)?.[1];
}
