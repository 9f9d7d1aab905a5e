import { AppError } from '#libs/platform/errors';

type Most = { readonly all: number; readonly perCaller: number };

/** Places for work that lasts as long as a client likes: so many at once, and not all of them for one caller. */
export class CallerPlaces {
  readonly #taken: string[] = [];

  constructor(
    private readonly most: Most,
    private readonly detail: string,
  ) {}

  /** @returns gives the place back; as often as one likes @throws AppError `overloaded` */
  take(caller: string): () => void {
    const own = this.#taken.filter((taken) => taken === caller).length;
    if (this.#taken.length >= this.most.all || own >= this.most.perCaller) {
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
