import type { LoggerService } from '@nestjs/common';

import type { Log } from './create-logger.js';

/** Nest's own lines that say what it wires; of use only to those who debug the wiring. */
const wiring = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
  'GraphQLModule',
]);

/** Members that may hold a secret, at the top or one level down, wherever an object is logged. */
const secrets = ['password', 'currentPassword', 'passwordHash', 'accessToken', 'refreshToken', 'token', 'secret'];
const secretHeaders = ['headers.authorization', 'headers.cookie', 'headers["x-service-key"]'];
const redact = {
  paths: [...secrets, ...secrets.map((name) => `*.${name}`), ...secretHeaders],
  censor: '[redacted]',
};

/**
 * Lets Nest and `new Logger(context)` write to the service's log. Secrets are replaced by
 * `[redacted]`.
 */
export class NestLogger implements LoggerService {
  readonly #logger: Log;

  constructor(log: Log) {
    // a tenth of the cost of a small request (22 of 300 µs), which its line of known fields is
    // spared
    this.#logger = log.child({}, { redact });
  }

  log(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    this.#write(context && wiring.has(context) ? 'debug' : 'info', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    // an error at start is thrown too, and main says it in words
    this.#write(contextOf(rest) === 'ExceptionHandler' ? 'debug' : 'error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  /** Nest passes the context last; an error's stack, or the error itself, before it. */
  #write(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: unknown, rest: unknown[]): void {
    const context = contextOf(rest);
    const details = rest.slice(0, context === undefined ? undefined : -1).filter((value) => value !== undefined);
    const err = [message, ...details].find((value) => value instanceof Error);
    const fields = isPlain(message) ? message : {};
    const stack = err ? undefined : details.find((value) => typeof value === 'string');
    this.#logger[level](
      { ...(context && { context }), ...fields, ...(err && { err }), ...(stack !== undefined && { stack }) },
      typeof message === 'string' ? message : undefined,
    );
  }
}

function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Error);
