import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

import { describeError } from './describe-error.js';

export type Log = Logger;

/** Members that may hold a secret, at the top or one level down, wherever an object is logged. */
const secrets = ['password', 'currentPassword', 'passwordHash', 'accessToken', 'refreshToken', 'token', 'secret'];
const secretHeaders = ['authorization', 'cookie', '["x-service-key"]'];

type LoggerOptions = { readonly level: string; readonly isTerminal: boolean; readonly destination?: DestinationStream };

/** JSON lines; coloured text in a terminal. Secrets are replaced by `[redacted]`. */
export function createLogger({ level, isTerminal, destination }: LoggerOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        ...secrets,
        ...secrets.map((name) => `*.${name}`),
        ...secretHeaders.map((name) => `headers${dotted(name)}`),
      ],
      censor: '[redacted]',
    },
  };
  if (destination) return pino(options, destination);
  if (!isTerminal) return pino(options);
  const { formatters: _, ...plain } = options;
  const target = {
    target: 'pino-pretty',
    options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', singleLine: true },
  };
  return pino({ ...plain, transport: target });
}

const dotted = (name: string): string => (name.startsWith('[') ? name : `.${name}`);
