import type { IncomingMessage } from 'node:http';

/** How long a client may neither send nor read after its last answer. */
export const unreadMs = 1_000;
const longestRounds = 5;
/** What is read away of a refused body in bytes: most mistakes, and no attack. */
export const mostReadAway = 1024 * 1024;

/**
 * Reads away what a refused client still sends, so that it sees its answer and can keep the connection (RFC 9112 §9.6).
 * The connection is closed when the client stops sending for a second, and after 5 s or 1 MiB whatever it does. Node
 * itself throws the bytes away when the answer has been sent.
 */
export function readAway(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const start = socket.bytesRead;
  let seen = start;
  let rounds = 0;
  const timer = setInterval(() => {
    const isStill = socket.bytesRead === seen;
    seen = socket.bytesRead;
    rounds++;
    if (isStill || rounds === longestRounds || seen - start > mostReadAway) socket.destroy();
  }, unreadMs).unref();
  const stop = (): void => clearInterval(timer);
  request.resume().once('end', stop).once('close', stop);
}
