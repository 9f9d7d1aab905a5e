import type { IncomingMessage } from 'node:http';

/** How long a client may neither send nor read after its last answer. */
export const unreadMs = 1_000;
const longestRounds = 5;
/** Enough for most mistakes, and too little for an attack. */
const discardLimitBytes = 1024 * 1024;

/**
 * Reads what a refused client still sends and throws it away, so that the client sees its answer
 * and can keep the connection (RFC 9112 §9.6). Destroys the socket when the client stops sending
 * for a second, and after 5 s or 1 MiB in any case. Node itself discards the bytes once the answer
 * is sent.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const start = socket.bytesRead;
  let seen = start;
  let rounds = 0;
  const timer = setInterval(() => {
    const isStill = socket.bytesRead === seen;
    seen = socket.bytesRead;
    rounds++;
    if (isStill || rounds === longestRounds || seen - start > discardLimitBytes) socket.destroy();
  }, unreadMs).unref();
  const stop = (): void => clearInterval(timer);
  request.resume().once('end', stop).once('close', stop);
}

/**
 * Whether a refused body is short enough to be discarded, so that its client is sure to get the
 * answer.
 */
export const isDiscardable = ({ headers }: IncomingMessage): boolean =>
  Number(headers['content-length']) <= discardLimitBytes;
