import { AppError } from '#libs/platform/errors';

type Limits = { readonly all: number; readonly perCaller: number };

/** Bounds work that lasts as long as a client likes: in all, and for one caller. */
export class CallerPlaces {
  readonly #taken: string[] = [];

  constructor(
    private readonly limits: Limits,
    private readonly detail: string,
  ) {}

  /** @returns a function that gives the place back; idempotent @throws AppError `overloaded` */
  take(caller: string): () => void {
    const own = this.#taken.filter((taken) => taken === caller).length;
    if (this.#taken.length >= this.limits.all || own >= this.limits.perCaller) {
      throw new AppError('overloaded', { detail: this.detail, headers: { 'retry-after': '10' } });
    }
    let isHeld = true;
    this.#taken.push(caller);
    return () => {
      if (isHeld) this.#taken.splice(this.#taken.indexOf(caller), 1);
      isHeld = false;
    };
  }
}
