import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { LinkTokens } from './links/link-tokens.js';

const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16];

/** The ciphertext opens only in the row with these values (additional data of AES-GCM). */
export type Binding = {
  readonly id: string;
  readonly expiresMs: number;
  readonly recipientId: string | null;
  readonly maxReads: number | null;
};
export type SealedMessage = { readonly sealedKey: Buffer; readonly body: Buffer };

/**
 * AES-256-GCM (NIST SP 800-38D) under a key that is derived from two halves (HKDF, RFC 5869): the
 * URL's token, which is not stored, and a random key of the message, which its row holds sealed.
 */
@Injectable()
export class MessageCipher {
  constructor(private readonly tokens: LinkTokens) {}

  seal(text: Buffer, token: string, binding: Binding): SealedMessage {
    const own = randomBytes(keyBytes);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', bodyKey(token, own), nonce).setAAD(aad(binding));
    return {
      sealedKey: this.tokens.key.seal(own, sealContext(binding)),
      body: Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]),
    };
  }

  /** @throws Error when the row was changed since it was written */
  open({ sealedKey, body }: SealedMessage, token: string, binding: Binding): Buffer {
    const own = this.tokens.key.open(sealedKey, sealContext(binding));
    const nonce = body.subarray(0, nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', bodyKey(token, own), nonce, { authTagLength: tagBytes })
      .setAAD(aad(binding))
      .setAuthTag(body.subarray(-tagBytes));
    return Buffer.concat([decipher.update(body.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  }
}

/** As a key object: bytes would cost three times as much. */
function bodyKey(token: string, own: Buffer): KeyObject {
  const secret = createSecretKey(Buffer.from(token, 'base64url'));
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, own, 'gatehouse:message', keyBytes)));
}

const sealContext = ({ id }: Binding): string => `message:${id}`;

const aad = ({ id, expiresMs, recipientId, maxReads }: Binding): Buffer =>
  Buffer.from(JSON.stringify(['gatehouse:message:1', id, expiresMs, recipientId, maxReads]));
