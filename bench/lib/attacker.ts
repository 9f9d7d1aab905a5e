/**
 * One attack, by its number, on a port, until it is told that it is over. Out of the way
 * of whoever measures meanwhile.
 */
import { once } from 'node:events';
import { setPriority } from 'node:os';

import { attacks } from './attacks.ts';

const lowest = 19;
setPriority(lowest);
const [, , number, port] = process.argv;
let isOver = false;
void once(process, 'message').then(() => {
  isOver = true;
});
const met = await attacks[Number(number)]?.run(Number(port), () => isOver);
process.send?.(met);
process.disconnect();
