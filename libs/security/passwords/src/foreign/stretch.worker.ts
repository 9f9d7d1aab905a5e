import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

// runs as it stands, also from its source: no import of our own, no syntax that cannot be stripped
type ShaCryptTask = {
  readonly kind: 'sha-crypt';
  readonly algorithm: 'sha256' | 'sha512';
  readonly password: string;
  readonly salt: string;
  readonly rounds: number;
};

/** `rounds` in all, after the first. */
type PhpassTask = {
  readonly kind: 'phpass';
  readonly algorithm: 'md5' | 'sha512';
  readonly password: string;
  readonly salt: string;
  readonly rounds: number;
};
export type StretchTask = ShaCryptTask | PhpassTask;

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512" 0.6. The numbers are its steps. */
function shaCrypt({ algorithm, password, salt: saltText, rounds }: ShaCryptTask): string {
  const digest = (parts: readonly Buffer[]): Buffer => hash(algorithm, Buffer.concat(parts), 'buffer');
  const [key, salt] = [Buffer.from(password), Buffer.from(saltText)];
  // 4–8
  const b = digest([key, salt, key]);
  // 9–12
  const bits = [...key.length.toString(2)].toReversed();
  const a = digest([key, salt, repeat(b, key.length), ...bits.map((bit) => (bit === '1' ? b : key))]);
  // 13–16
  const p = repeat(digest(Array.from({ length: key.length }, () => key)), key.length);
  // 17–20
  const s = repeat(digest(Array.from({ length: 16 + (a[0] ?? 0) }, () => salt)), salt.length);
  return encode(stretch({ algorithm, rounds, a, p, s }));
}

/** 21: odd and even rounds have two orders, each with and without S and P. */
function stretch({
  algorithm,
  rounds,
  a,
  p,
  s,
}: {
  algorithm: string;
  rounds: number;
  a: Buffer;
  p: Buffer;
  s: Buffer;
}) {
  const layouts = Array.from({ length: 42 }, (_, round) => {
    const middle = [...(round % 3 ? [s] : []), ...(round % 7 ? [p] : [])];
    const parts = round % 2 ? [p, ...middle, a] : [a, ...middle, p];
    const bytes = Buffer.concat(parts);
    return { bytes, at: round % 2 ? bytes.length - a.length : 0 };
  });
  let previous = a;
  for (let round = 0; round < rounds; round++) {
    const layout = layouts[round % 42];
    if (!layout) break;
    previous.copy(layout.bytes, layout.at);
    previous = hash(algorithm, layout.bytes, 'buffer');
  }
  return previous;
}

/** 22: three bytes, one from each third of the digest, are four characters, lowest bits first. */
function encode(digest: Buffer): string {
  const third = Math.floor(digest.length / 3);
  const at = (index: number): number => digest[index] ?? 0;
  let text = '';
  let [x, y, z] = [0, third, third * 2];
  for (let group = 0; group < third; group++) {
    text += characters((at(x) << 16) | (at(y) << 8) | at(z), 4);
    [x, y, z] = digest.length === 64 ? [y + 1, z + 1, x + 1] : [z + 1, x + 1, y + 1];
  }
  return digest.length === 64 ? text + characters(at(63), 2) : text + characters((at(31) << 8) | at(30), 3);
}

const characters = (value: number, count: number): string =>
  Array.from({ length: count }, (_, at) => alphabet[(value >> (6 * at)) & 63]).join('');

const repeat = (bytes: Buffer, length: number): Buffer => Buffer.alloc(length, bytes);

/** Openwall's portable hashes, and Drupal's of SHA-512. */
function phpass({ algorithm, password, salt, rounds }: PhpassTask): string {
  const key = Buffer.from(password);
  let digest = hash(algorithm, Buffer.concat([Buffer.from(salt), key]), 'buffer');
  for (let round = 0; round < rounds; round++) digest = hash(algorithm, Buffer.concat([digest, key]), 'buffer');
  let text = '';
  for (let at = 0; at < digest.length; at += 3) {
    const [x = 0, y = 0, z = 0] = digest.subarray(at, at + 3);
    text += characters(x | (y << 8) | (z << 16), Math.min(3, digest.length - at) + 1);
  }
  return text;
}

const task: StretchTask = workerData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(task.kind === 'phpass' ? phpass(task) : shaCrypt(task));
