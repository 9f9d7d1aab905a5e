import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';

import { AppError, type ErrorCode, errorCodes, toProblem } from '#libs/platform/errors';

import { unreadMs } from './read-away.js';

const byNodeCode: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
};
const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

/** What was answered, for the log. */
type Refusal = { readonly errorCode: ErrorCode; readonly requestId: string };

/** Answers what Node's HTTP parser refused, for which there is no request and no reply, as a problem document too. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): Refusal | undefined {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const code = byNodeCode[error.code ?? ''] ?? 'bad-request';
  const { status } = errorCodes[code];
  const requestId = randomUUID();
  const body = JSON.stringify(toProblem(new AppError(code), { path: '*', requestId }));
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // half closed, the connection would stay for as long as its client likes
  const timer = setTimeout(() => socket.destroy(), unreadMs);
  socket.once('close', () => clearTimeout(timer));
  return { errorCode: code, requestId };
}
