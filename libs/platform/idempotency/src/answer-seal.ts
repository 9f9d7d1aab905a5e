import { timingSafeEqual } from 'node:crypto';

import { SealingKey } from '#libs/platform/crypto';
import { AppError } from '#libs/platform/errors';
import type { MacKey } from '#libs/platform/sealed-keys';

import type { IdempotentRequest } from './idempotent-request.js';

/** The stored answer of a request that was done. */
export type KeptRow = { readonly fingerprint: Uint8Array; readonly answer: Uint8Array };

/** The keys that make fingerprints, and the keys of answers. */
export type SealKeys = { readonly body: MacKey; readonly answer: MacKey };

const context = 'idempotency-answer';

/**
 * Seals the answer to one request under what only that request has: the client's key and the whole
 * body. A thief of the database and the master key would have to guess both.
 */
export class AnswerSeal<Answer> {
  /** Tells whether a retry has the same body. */
  readonly fingerprint: Buffer;
  readonly #key: SealingKey;

  constructor(keys: SealKeys, { name, body }: Pick<IdempotentRequest, 'name' | 'body'>) {
    const request = `${name}\n${body}`;
    this.fingerprint = keys.body.mac(request);
    this.#key = new SealingKey(keys.answer.mac(request));
  }

  seal(answer: Answer): Buffer {
    return this.#key.seal(Buffer.from(JSON.stringify(answer)), context);
  }

  /** @throws AppError `idempotency-key-reused` when it was kept for another body */
  open({ fingerprint, answer }: KeptRow): Answer {
    this.assertSame(fingerprint);
    // Under one route only one kind of answer is kept.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(this.#key.open(Buffer.from(answer), context).toString()) as Answer;
  }

  /** @throws AppError `idempotency-key-reused` */
  assertSame(fingerprint: Uint8Array): void {
    const isSame = fingerprint.length === this.fingerprint.length && timingSafeEqual(fingerprint, this.fingerprint);
    if (!isSame) throw new AppError('idempotency-key-reused');
  }
}
