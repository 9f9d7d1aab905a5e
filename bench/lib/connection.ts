import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Answer = { readonly status: number; readonly head: string; readonly body: string };
type Call = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void };

/**
 * One kept-alive connection with one request at a time, on a bare socket: the load generator
 * shares its core with PostgreSQL, so it must cost little. Reads answers with a
 * `Content-Length` or without a body.
 */
export class Connection {
  readonly #socket: Socket;
  #received = '';
  #call: Call | undefined;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk: unknown) => this.#read(String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#call?.reject(new Error('the connection was closed'));
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws when the connection ends before the answer has come */
  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new Error('the connection was closed'));
        return;
      }
      this.#call = { resolve, reject };
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received = this.#received === '' ? chunk : this.#received + chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    const bodyStart = headEnd + 4;
    const end = bodyStart + Number(length ?? 0);
    if (this.#received.length < end) return;
    const body = this.#received.slice(bodyStart, end);
    this.#received = this.#received.slice(end);
    const call = this.#call;
    this.#call = undefined;
    call?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }
}

export const meRequest = (token: string): string =>
  `GET /v1/users/me HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`;

/** `POST` of a form (RFC 7009, RFC 7662) by a service. */
export function formRequest(path: string, fields: Readonly<Record<string, string>>, serviceKey: string): string {
  const body = new URLSearchParams(fields).toString();
  const head = [`POST ${path} HTTP/1.1`, 'Host: bench', `X-Service-Key: ${serviceKey}`];
  const type = 'Content-Type: application/x-www-form-urlencoded';
  return `${[...head, type, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}

export function jsonRequest(method: string, path: string, body?: unknown, token?: string): string {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: bench',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(text === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]),
  ];
  return `${head.join('\r\n')}\r\n\r\n${text ?? ''}`;
}
