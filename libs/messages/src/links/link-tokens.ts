import { Injectable } from '@nestjs/common';

import { randomToken } from '#libs/platform/crypto';

import { LinkKeys } from './link-keys.js';

/** A token for a URL: 256 random bits in base64url (43 characters), and what is stored of it. */
type LinkToken = { readonly token: string; readonly hash: Buffer };

/** Makes the tokens of links and finds them again. Only a keyed hash is stored: a dump can not even be guessed against. */
@Injectable()
export class LinkTokens {
  constructor(private readonly keys: LinkKeys) {}

  make(): LinkToken {
    const token = randomToken();
    return { token, hash: this.hash(token) };
  }

  /** Of the text, not of the bits that it stands for: a token has one spelling. Any text has a hash. */
  hash(token: string): Buffer {
    return this.keys.key.mac('link-token', token);
  }
}
