import { hash, randomBytes } from 'node:crypto';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type MacKey, MacKeys } from '#libs/platform/sealed-keys';

const prefix = 'gtr_';
const [idBytes, rotationBytes, secretBytes, tagBytes] = [16, 4, 32, 16];
const tokenBytes = idBytes + rotationBytes + secretBytes + tagBytes;
const tokenLetters = prefix.length + Math.ceil((tokenBytes * 8) / 6);

/** What a refresh token of ours says; it may be good no longer. */
export type RefreshToken = {
  readonly sessionId: string;
  readonly rotation: number;
  readonly secret: Buffer;
};

/** A refresh token as it is given out, and what the database keeps of it. */
export type NewRefreshToken = { readonly token: string; readonly hash: Buffer };

/**
 * Refresh tokens: `gtr_` and the base64url of session id, rotation, a 256-bit secret, and a tag.
 * The secret alone makes a token good. The tag tells a token that we issued long ago from one that
 * somebody made up with the id of another's session: reuse can end a session, a forgery cannot.
 */
@Injectable()
export class RefreshTokens implements OnModuleInit {
  #keys: { readonly child: MacKey; readonly tag: MacKey } | undefined;

  constructor(private readonly macKeys: MacKeys) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    // kept keys, so that replicas with the old and the new master key give a retry the same child
    this.#keys = { child: await this.macKeys.get('refresh-child'), tag: await this.macKeys.get('refresh-tag') };
  }

  first(sessionId: string): NewRefreshToken {
    return this.renewed(sessionId, 0);
  }

  /** A token that nobody can derive from the tokens before it. */
  renewed(sessionId: string, rotation: number): NewRefreshToken {
    return this.#encode(sessionId, rotation, randomBytes(secretBytes));
  }

  /** Always the same for a parent: only hashes are stored, and a retry gets the same token. */
  childOf({ sessionId, rotation, secret }: RefreshToken): NewRefreshToken {
    const child = this.#loaded.child.mac(`${sessionId}:${rotation}:${secret.toString('hex')}`);
    return this.#encode(sessionId, rotation + 1, child);
  }

  /** Nothing unless the text is exactly a token that we issued: each token has one spelling. */
  parse(token: string): RefreshToken | undefined {
    if (!token.startsWith(prefix) || token.length !== tokenLetters) return undefined;
    const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
    // decoding skips letters that are not base64url, and ignores some bits of the last letter
    if (prefix + bytes.toString('base64url') !== token) return undefined;
    const [body, tag] = [bytes.subarray(0, -tagBytes), bytes.subarray(-tagBytes)];
    if (!this.#loaded.tag.isMac(body.toString('hex'), tag)) return undefined;
    return {
      sessionId: toUuid(body.subarray(0, idBytes)),
      rotation: body.readUInt32BE(idBytes),
      secret: body.subarray(idBytes + rotationBytes),
    };
  }

  #encode(sessionId: string, rotation: number, secret: Buffer): NewRefreshToken {
    const head = Buffer.alloc(rotationBytes);
    head.writeUInt32BE(rotation);
    const body = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), head, secret]);
    const tag = this.#loaded.tag.mac(body.toString('hex')).subarray(0, tagBytes);
    return { token: prefix + Buffer.concat([body, tag]).toString('base64url'), hash: hashOf({ secret }) };
  }

  get #loaded(): { readonly child: MacKey; readonly tag: MacKey } {
    if (!this.#keys) throw new Error('RefreshTokens is not initialised yet');
    return this.#keys;
  }
}

/** What the database keeps of a token. */
export const hashOf = ({ secret }: Pick<RefreshToken, 'secret'>): Buffer => hash('sha256', secret, 'buffer');

function toUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
