import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { AppError, type ErrorCode } from '#libs/platform/errors';

import { unreadMs } from '../body/discard-body.js';
import { problemAnswer } from './problem-answer.js';

const byNodeCode: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
};

/** What was answered, for the log. */
type Refusal = { readonly errorCode: ErrorCode; readonly requestId: string };

/**
 * Answers what Node's HTTP parser refused, for which there is no request and no reply, as a problem
 * document too.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): Refusal | undefined {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const code = byNodeCode[error.code ?? ''] ?? 'bad-request';
  const requestId = randomUUID();
  const { status, headers, body } = problemAnswer(new AppError(code), { path: '*', requestId });
  const fields = {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Bad Request'}`, ...lines];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // half closed, the connection would stay for as long as its client likes
  const timer = setTimeout(() => socket.destroy(), unreadMs);
  socket.once('close', () => clearTimeout(timer));
  return { errorCode: code, requestId };
}
