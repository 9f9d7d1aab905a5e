import { hash, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { MasterKey } from '#libs/platform/crypto';

const prefix = 'gtr_';
const tagPurpose = 'refresh-tag';
const [idBytes, rotationBytes, secretBytes, tagBytes] = [16, 4, 32, 16];
const tokenBytes = idBytes + rotationBytes + secretBytes + tagBytes;

/** A refresh token, read. `isOurs`: we issued it, whether it is still good or not. */
export type RefreshToken = {
  readonly sessionId: string;
  readonly rotation: number;
  readonly secret: Buffer;
  readonly isOurs: boolean;
};

/** A refresh token as it is given out, and what the database keeps of it. */
export type NewRefreshToken = { readonly token: string; readonly hash: Buffer };

/**
 * Refresh tokens: `gtr_` and the base64url of session id, rotation, a 256-bit secret, and a tag. The secret alone makes
 * a token good. The tag tells a token that we issued long ago from one that somebody made up with the id of another's
 * session, so that reuse can end a session and a forgery cannot.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly master: MasterKey) {}

  first(sessionId: string): NewRefreshToken {
    return this.#encode(sessionId, 0, randomBytes(secretBytes));
  }

  /** Always the same for a parent: what a hash could not give back, a retry can be given again. */
  childOf({ sessionId, rotation, secret }: RefreshToken): NewRefreshToken {
    const child = this.master.mac('refresh-child', `${sessionId}:${rotation}:${secret.toString('hex')}`);
    return this.#encode(sessionId, rotation + 1, child);
  }

  parse(token: string): RefreshToken | undefined {
    if (!token.startsWith(prefix)) return undefined;
    const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
    if (bytes.length !== tokenBytes) return undefined;
    const sessionId = toUuid(bytes.subarray(0, idBytes));
    const rotation = bytes.readUInt32BE(idBytes);
    const secret = bytes.subarray(idBytes + rotationBytes, -tagBytes);
    const isOurs = this.master.isMac(
      tagPurpose,
      bytes.subarray(0, -tagBytes).toString('hex'),
      bytes.subarray(-tagBytes),
    );
    return { sessionId, rotation, secret, isOurs };
  }

  #encode(sessionId: string, rotation: number, secret: Buffer): NewRefreshToken {
    const head = Buffer.alloc(rotationBytes);
    head.writeUInt32BE(rotation);
    const body = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), head, secret]);
    const token = prefix + Buffer.concat([body, this.#tag(body)]).toString('base64url');
    return { token, hash: hashOf({ secret }) };
  }

  #tag(body: Buffer): Buffer {
    return this.master.mac(tagPurpose, body.toString('hex')).subarray(0, tagBytes);
  }
}

/** What the database keeps of a token. */
export const hashOf = ({ secret }: Pick<RefreshToken, 'secret'>): Buffer => hash('sha256', secret, 'buffer');

function toUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
