import type { Readable } from 'node:stream';

import { AppError } from '#libs/platform/errors';

type Limits = {
  readonly limitBytes: number;
  /** Aborts when the client sends nothing for too long. */
  readonly signal: AbortSignal;
};

/**
 * The chunks of a body, asked for as they are needed. Leaves the stream open, since the answer goes out on its socket.
 * @throws AppError `body-too-large`; the signal's reason
 */
export async function* readBody(body: Readable, { limitBytes, signal }: Limits): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  let giveUp: ((reason: Error) => void) | undefined;
  signal.addEventListener('abort', () => giveUp?.(toError(signal.reason)), { once: true });
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    // a race against one promise of the whole import would keep every chunk until its end
    const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      giveUp = reject;
      chunks.next().then(resolve, reject);
    });
    if (next.done === true) return;
    total += next.value.byteLength;
    if (total > limitBytes)
      throw new AppError('body-too-large', { detail: `Send at most ${limitBytes} bytes at once.` });
    yield next.value;
  }
}

const toError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('aborted'));
