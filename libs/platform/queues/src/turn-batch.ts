type Asked<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Gathers what is asked within one turn of the event loop and has it answered together: a busy server pays for the way to
 * a database once for many requests, and an idle one waits no longer than before.
 */
export class TurnBatch<Question, Answer> {
  #asked: Asked<Question, Answer>[] = [];

  /**
   * @param answerAll gives an answer to each, in their order; when it fails, all have failed
   * @param limit of questions at once
   */
  constructor(
    private readonly answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    private readonly limit: number,
  ) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const count = this.#asked.push({ question, resolve, reject });
      if (count === 1) setImmediate(() => this.#send());
      if (count === this.limit) this.#send();
    });
  }

  #send(): void {
    const asked = this.#asked;
    if (asked.length === 0) return;
    this.#asked = [];
    void this.#answer(asked);
  }

  async #answer(asked: readonly Asked<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.answerAll(asked.map(({ question }) => question));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each, as `answerAll` promises
      for (const [at, { resolve }] of asked.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
