import { hash } from 'node:crypto';

const prefixLength = 5;
const rangeLine = /^([0-9A-F]{35}):(\d+)$/i;

/**
 * Asks a Pwned Passwords server whether a password is in a known breach.
 *
 * Only the first 5 of 40 hexadecimal digits of its SHA-1 leave the process (k-anonymity), and the
 * answer is padded so that its size reveals nothing either. Protocol:
 * https://haveibeenpwned.com/API/v3#PwnedPasswords
 */
export class HibpRange {
  readonly #baseUrl: string;
  readonly #timeoutMs: number;

  /** `baseUrl` is without `/range`: `https://api.pwnedpasswords.com`. */
  constructor(options: { baseUrl: string; timeoutMs: number }) {
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * Expects the normalised password.
   *
   * @throws Error when the server cannot be asked: late, refused, redirected or not a range answer.
   * Not a verdict: the caller logs it and accepts the password.
   */
  async isBreached(password: string): Promise<boolean> {
    const digest = hash('sha1', password, 'hex').toUpperCase();
    const lines = await this.#range(digest.slice(0, prefixLength));
    const suffix = digest.slice(prefixLength);
    // padding lines have a count of 0
    return lines.some((line) => line.suffix === suffix && line.count > 0);
  }

  async #range(prefix: string): Promise<readonly RangeLine[]> {
    const response = await fetch(`${this.#baseUrl}/range/${prefix}`, {
      headers: { 'Add-Padding': 'true', 'User-Agent': 'gatehouse' },
      redirect: 'error',
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`password range server answered ${response.status}`);
    }
    return parseRange(await response.text());
  }
}

type RangeLine = { readonly suffix: string; readonly count: number };

/** Strict, because the page of a proxy with status 200 must not read as "not breached". */
function parseRange(text: string): readonly RangeLine[] {
  return text
    .trim()
    .split(/\r?\n/)
    .map((line) => {
      const [, suffix, count] = rangeLine.exec(line) ?? [];
      if (!suffix || !count) throw new Error('password range server gave an answer that is not a range');
      return { suffix: suffix.toUpperCase(), count: Number(count) };
    });
}
