import { randomBytes } from 'node:crypto';

import { Injectable, type OnModuleInit } from '@nestjs/common';

import { randomToken, SealingKey } from '#libs/platform/crypto';
import { SealedKeysRepository } from '#libs/platform/sealed-keys';

/** A token for a URL: 256 random bits in base64url (43 characters), and the hash that is stored. */
type LinkToken = { readonly token: string; readonly hash: Buffer };

/** Marks before the token, also percent-encoded and more than once (`%2523`); then the token. */
export const tokenAtStart = /^(?:%(?:25)*[\dA-F]{2}|[^\w%-])*([\w-]{43})/i;

/**
 * Finds the token in what follows `/m`, also when the link was changed on its way: `#` encoded or
 * made a slash, marks or parameters put behind it. The page's script does the same behind the `#`.
 */
export const tokenInLink = (rest: string): string | undefined => tokenAtStart.exec(rest)?.[1];

/**
 * Makes the tokens of links and finds them again. Only a keyed hash is stored: a dump of the
 * database does not even allow guesses. The key is random and sealed by the master key, not derived
 * from it: a hash cannot be made anew, so links would end when the master key changes.
 */
@Injectable()
export class LinkTokens implements OnModuleInit {
  #key: SealingKey | undefined;

  constructor(private readonly keys: SealedKeysRepository) {}

  /** @throws WrongMasterKeyError */
  async onModuleInit(): Promise<void> {
    this.#key = new SealingKey(await this.keys.findOrMake('links', () => randomBytes(32)));
  }

  /** Hashes tokens, and seals the keys of what links lead to. */
  get key(): SealingKey {
    if (!this.#key) throw new Error('LinkTokens is not initialised yet');
    return this.#key;
  }

  make(): LinkToken {
    const token = randomToken();
    return { token, hash: this.hash(token) };
  }

  /** Hashes the text, not the bits that it stands for, so that a token has one spelling. */
  hash(token: string): Buffer {
    return this.key.mac('link-token', token);
  }
}
