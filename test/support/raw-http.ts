import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import type { Answer } from './api.js';

/** An open connection to a service, from an address of this machine. */
export async function openSocket(url: string, from?: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, ...(from !== undefined && { localAddress: from }) });
  // what a server does with a hostile client, resetting it included, is seen in its answers
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/**
 * Sends bytes as they are, where `fetch` would mend or refuse them, and reads every
 * answer until the server closes.
 */
export async function exchange(
  to: string | { readonly url: string; readonly from: string },
  ...parts: readonly (string | Uint8Array)[]
): Promise<readonly Answer[]> {
  const socket = typeof to === 'string' ? await openSocket(to) : await openSocket(to.url, to.from);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  const closed = once(socket, 'close');
  for (const part of parts) socket.write(part);
  await closed;
  return parseAnswers(Buffer.concat(received));
}

/**
 * A request as text; it asks for the connection to be closed, and
 * tells its length if it has a body.
 */
export function request(
  line: string,
  { headers = [], body }: { headers?: readonly string[]; body?: string | Uint8Array } = {},
): Buffer {
  const bytes = Buffer.from(body ?? '');
  const length = body === undefined ? [] : [`Content-Length: ${bytes.length}`];
  const head = [`${line} HTTP/1.1`, 'Host: gatehouse.test', 'Connection: close', ...length, ...headers];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function parseAnswers(bytes: Buffer): readonly Answer[] {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return [];
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Headers(lines.map((line): [string, string] => [headerName(line), headerValue(line)]));
  const bodyEnd = end + 4 + Number(headers.get('content-length') ?? 0);
  const text = bytes.subarray(end + 4, bodyEnd).toString('utf8');
  const isJson = /json/.test(headers.get('content-type') ?? '') && text !== '';
  const answer = { status: Number(statusLine.split(' ')[1]), headers, text, body: isJson ? JSON.parse(text) : text };
  return [answer, ...parseAnswers(bytes.subarray(bodyEnd))];
}

const headerName = (line: string): string => line.slice(0, line.indexOf(':'));
const headerValue = (line: string): string => line.slice(line.indexOf(':') + 1).trim();
