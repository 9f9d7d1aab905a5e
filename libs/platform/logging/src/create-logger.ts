import { type DestinationStream, type LogFn, type Logger, type LoggerOptions as PinoOptions, pino } from 'pino';

import { toRfc3339 } from '#libs/platform/contract';

import { describeError } from './describe-error.js';
import { type LineWriter, lineWriter, writeToStdout } from './line-writer.js';

export type Log = Logger;

const writers = new WeakMap<Log, LineWriter>();

/** How many lines of a log were thrown away because nobody read them. */
export const droppedLines = (log: Log): number => writers.get(log)?.dropped ?? 0;

type LoggerOptions = { readonly level: string; readonly isTerminal: boolean; readonly destination?: DestinationStream };

/**
 * JSON lines; coloured text in a terminal. For lines of known fields; `NestLogger` takes secrets
 * out of any others.
 */
export function createLogger({ level, isTerminal, destination }: LoggerOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${toRfc3339(Date.now())}"`,
    serializers: { err: describeError },
    hooks: { logMethod: logOwnMessage },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (destination) return pino(options, destination);
  if (!isTerminal) return toStdout(options);
  const { formatters: _, ...plain } = options;
  const target = {
    target: 'pino-pretty',
    options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', singleLine: true },
  };
  return pino({ ...plain, transport: target });
}

/**
 * Lines are written in place. pino's own way hands each to libuv's threads: 110 µs of CPU more at a
 * few hundred lines a second, and behind every password hash that is under way.
 */
function toStdout(options: PinoOptions): Log {
  const writer = lineWriter({ write: writeToStdout, describeDropped });
  const log = pino(options, writer);
  writers.set(log, writer);
  return log;
}

const describeDropped = (lines: number): string =>
  `${JSON.stringify({ level: 'warn', time: toRfc3339(Date.now()), lines, msg: 'lines dropped: nobody read the log' })}\n`;

/**
 * pino would take the whole message of an error for that of the line, with the row that a driver
 * put into it.
 */
function logOwnMessage(this: Logger, parameters: Parameters<LogFn>, method: LogFn): void {
  const fields: unknown = parameters[0];
  const error: unknown = isObject(fields) && !(fields instanceof Error) ? fields['err'] : fields;
  if (!(error instanceof Error) || parameters[1] !== undefined) return method.apply(this, parameters);
  method.call(this, fields instanceof Error ? { err: error } : fields, describeError(error).message);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
