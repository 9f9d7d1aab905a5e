import { hash } from 'node:crypto';

import type { ParsedToken } from './access-token.js';

/**
 * Tokens that were read, by digest, so that memory holds none. That a token is here says only that
 * its signature was right: whether it is good is judged at each call.
 */
export class TokenCache {
  readonly #tokens = new Map<string, ParsedToken>();

  constructor(private readonly limit: number) {}

  /** What a token is found by; not to be found by who reads memory. */
  static nameOf(token: string): string {
    return hash('sha256', token, 'base64url');
  }

  get(name: string): ParsedToken | undefined {
    return this.#tokens.get(name);
  }

  /** The oldest makes room: a token is used for minutes, then never again. */
  set(name: string, token: ParsedToken): void {
    if (this.limit === 0) return;
    if (this.#tokens.size >= this.limit && !this.#tokens.has(name)) {
      const [oldest] = this.#tokens.keys();
      if (oldest !== undefined) this.#tokens.delete(oldest);
    }
    this.#tokens.set(name, token);
  }

  delete(name: string): void {
    this.#tokens.delete(name);
  }
}
