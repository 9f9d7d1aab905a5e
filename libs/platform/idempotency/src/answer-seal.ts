import { timingSafeEqual } from 'node:crypto';

import { MasterKey } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import type { MacKey } from '#libs/platform/sealed-keys';

import type { Attempt } from './attempt.js';

/** What is stored of a request that was done. */
export type KeptRow = { readonly fingerprint: Uint8Array; readonly answer: Uint8Array };

/** What fingerprints and the keys of answers are made with. */
export type SealKeys = { readonly body: MacKey; readonly answer: MacKey };

const context = 'idempotency-answer';

/**
 * Seals the answer to one request under what only that request brings: the client's key and the whole body. Who has the
 * database and the master key would have to guess both, and then knows already what was sent.
 */
export class AnswerSeal<Answer> {
  /** Tells another body under the same key from the same one. */
  readonly fingerprint: Buffer;
  readonly #box: MasterKey;

  constructor(keys: SealKeys, { name, body }: Pick<Attempt, 'name' | 'body'>) {
    const request = `${name}\n${body}`;
    this.fingerprint = keys.body.mac(request);
    this.#box = new MasterKey(keys.answer.mac(request));
  }

  seal(answer: Answer): Buffer {
    return this.#box.seal(Buffer.from(JSON.stringify(answer)), context);
  }

  /** @throws AppError `idempotency-key-reused` when it was kept for another body */
  open({ fingerprint, answer }: KeptRow): Answer {
    this.assertSame(fingerprint);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this attempt's own kind of answer is kept under its route
    return JSON.parse(this.#box.open(Buffer.from(answer), context).toString()) as Answer;
  }

  /** @throws AppError `idempotency-key-reused` */
  assertSame(fingerprint: Uint8Array): void {
    const isSame = fingerprint.length === this.fingerprint.length && timingSafeEqual(fingerprint, this.fingerprint);
    if (!isSame) throw new AppError('idempotency-key-reused');
  }
}
