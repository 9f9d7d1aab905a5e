/**
 * Keeps so many silent connections open from one address, in a process of its own:
 * `silent-attacker.ts port count`.
 */
import { connect, type Socket } from 'node:net';

/** All of 127.0.0.0/8 is this machine. */
const address = '127.0.0.2';
const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const open = new Set<Socket>();
let opened = 0;
// what the service closes is opened again, up to 2,000 a second
setInterval(() => {
  for (let more = Math.min(100, count - open.size); more > 0; more--) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address });
    open.add(socket);
    socket.on('connect', () => opened++).on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  }
}, 50);
process.once('message', () => {
  process.send?.({ opened, open: open.size }, () => process.exit(0));
});
