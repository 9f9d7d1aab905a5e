import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { addressKeys, parseAddress } from '#libs/platform/access';

import { bodyTimeLifted, hasBody } from '../body/body-timeout.js';

type Limits = {
  readonly total: number;
  readonly perAddress: number;
  /** Whether the limit of an address does not hold for this one: many clients come through it. */
  readonly isProxy: (address: string) => boolean;
  /** Hears of each connection that had to go, and of the limit that was reached. */
  readonly onClosed: (limit: ConnectionLimit, address: string) => void;
};
export type ConnectionLimit = 'MAX_CONNECTIONS' | 'MAX_CONNECTIONS_PER_ADDRESS';

/** In the order in which they began to wait for a request, or for the rest of one. */
type Waiting = Set<Connection>;
type Address = { readonly key: string; readonly isProxy: boolean; readonly waiting: Waiting; count: number };
type Connection = { readonly socket: Socket; readonly from: Address; requests: number };

/**
 * Bounds the connections of all clients and of each address. When there is no room for a new one,
 * the one is closed that has waited longest for its client: whoever opens connections and sends
 * nothing closes their own, and a new client gets in, a probe for example. A request that is being
 * answered is never cut off; only when all are is the new one closed.
 */
export class ConnectionLimits {
  readonly #addresses = new Map<string, Address>();
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #waiting: Waiting = new Set();
  readonly #waitingProxies: Waiting = new Set();
  #count = 0;

  constructor(
    server: Server,
    private readonly limits: Limits,
  ) {
    server.on('connection', (socket) => this.#admit(socket));
    server.on('request', (request, response) => this.#begin(request, response));
  }

  /** Open ones. */
  get count(): number {
    return this.#count;
  }

  /** Closes those on which nothing has come yet, which Node takes for busy ones. */
  closeUnused(): void {
    for (const { socket } of [...this.#waiting, ...this.#waitingProxies]) {
      if (socket.bytesRead === 0) socket.destroy();
    }
  }

  #admit(socket: Socket): void {
    // read once while it is open, Node still knows `remoteAddress` when a request is logged after
    // its client has left
    const address = parseAddress(socket.remoteAddress ?? '') ?? '::';
    const from = this.#addressOf(address);
    const isOneTooMany = !from.isProxy && from.count >= this.limits.perAddress;
    if (isOneTooMany && !this.#closeOneOf(from.waiting))
      return this.#refuse(socket, address, 'MAX_CONNECTIONS_PER_ADDRESS');
    if (isOneTooMany) this.limits.onClosed('MAX_CONNECTIONS_PER_ADDRESS', address);
    const isFull = this.#count >= this.limits.total;
    if (isFull && !this.#closeOneOf(this.#waiting) && !this.#closeOneOf(this.#waitingProxies)) {
      return this.#refuse(socket, address, 'MAX_CONNECTIONS');
    }
    if (isFull) this.limits.onClosed('MAX_CONNECTIONS', address);
    this.#keep(socket, this.#addressOf(address));
  }

  #addressOf(address: string): Address {
    const [key = address] = addressKeys(address);
    return this.#addresses.get(key) ?? { key, isProxy: this.limits.isProxy(address), waiting: new Set(), count: 0 };
  }

  #keep(socket: Socket, from: Address): void {
    const connection = { socket, from, requests: 0 };
    this.#count++;
    from.count++;
    this.#addresses.set(from.key, from);
    this.#connections.set(socket, connection);
    this.#wait(connection);
    socket.once('close', () => this.#forget(connection));
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (!connection) return;
    connection.requests++;
    response.once('close', () => {
      connection.requests--;
      if (connection.requests === 0 && this.#connections.has(connection.socket)) this.#wait(connection);
    });
    if (!hasBody(request) || connection.requests > 1) return this.#hold(connection);
    this.#wait(connection);
    const hold = (): void => {
      if (!response.closed) this.#hold(connection);
    };
    request.once('end', hold).once(bodyTimeLifted, hold);
  }

  /** Puts it behind all others that wait. */
  #wait(connection: Connection): void {
    this.#hold(connection);
    connection.from.waiting.add(connection);
    this.#allWaiting(connection).add(connection);
  }

  #hold(connection: Connection): void {
    connection.from.waiting.delete(connection);
    this.#allWaiting(connection).delete(connection);
  }

  #allWaiting({ from }: Connection): Waiting {
    return from.isProxy ? this.#waitingProxies : this.#waiting;
  }

  #closeOneOf(waiting: Waiting): boolean {
    const [longest] = waiting;
    if (!longest) return false;
    this.#forget(longest);
    longest.socket.destroy();
    return true;
  }

  #refuse(socket: Socket, address: string, limit: ConnectionLimit): void {
    socket.destroy();
    this.limits.onClosed(limit, address);
  }

  #forget(connection: Connection): void {
    if (!this.#connections.delete(connection.socket)) return;
    this.#hold(connection);
    this.#count--;
    connection.from.count--;
    if (connection.from.count === 0) this.#addresses.delete(connection.from.key);
  }
}
