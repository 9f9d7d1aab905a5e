import type { IncomingMessage } from 'node:http';

/** How long a client may go on sending after its answer. */
const unreadMs = 1_000;

/** Reads away what a refused client still sends, so that the connection can stay; after a while it goes all the same. */
export function readAway(request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), unreadMs).unref();
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}
