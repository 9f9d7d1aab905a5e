import type { CallerNow } from '#libs/platform/access';
import { AppError } from '#libs/platform/errors';

const askEveryMs = 1_000;

type Watched = { readonly callerNow: CallerNow; readonly maxSeconds: number };

/**
 * Ends an import whose caller is no longer trusted, or whose time is over, also while nothing is written: until then it
 * would keep others from importing. Stop it when the import has ended.
 */
export class ImportWatch {
  readonly #over = new AbortController();
  readonly #asking: NodeJS.Timeout;
  readonly #time: NodeJS.Timeout;

  constructor({ callerNow, maxSeconds }: Watched) {
    this.#asking = setInterval(() => void this.#ask(callerNow), askEveryMs).unref();
    const detail = `An import may take ${maxSeconds} s in all (IMPORT_MAX_SECONDS). Send the same rows again to go on.`;
    const tooLong = (): void => this.#over.abort(new AppError('request-timeout', { detail }));
    this.#time = setTimeout(tooLong, maxSeconds * 1_000).unref();
  }

  /** Aborts with what the caller is to be told. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  stop(): void {
    clearInterval(this.#asking);
    clearTimeout(this.#time);
  }

  async #ask(callerNow: CallerNow): Promise<void> {
    try {
      await callerNow();
    } catch (error) {
      // that it cannot be known just now ends nothing: each write asks for itself
      if (error instanceof AppError && error.status < 500) this.#over.abort(error);
    }
  }
}
