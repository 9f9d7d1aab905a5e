type PendingCall<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Gathers the questions of one turn of the event loop and has them answered together. A busy server
 * pays for one round trip for many requests, and an idle one waits no longer than without it.
 */
export class TurnBatch<Question, Answer> {
  #pending: PendingCall<Question, Answer>[] = [];

  /**
   * @param answerAll gives one answer for each question, in order; when it fails, all calls fail
   * @param limit questions in one batch; a full batch is sent before the turn ends
   */
  constructor(
    private readonly answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    private readonly limit: number,
  ) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const count = this.#pending.push({ question, resolve, reject });
      if (count === 1) setImmediate(() => this.#send());
      if (count === this.limit) this.#send();
    });
  }

  #send(): void {
    const calls = this.#pending;
    if (calls.length === 0) return;
    this.#pending = [];
    void this.#answer(calls);
  }

  async #answer(calls: readonly PendingCall<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.answerAll(calls.map(({ question }) => question));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each
      for (const [at, { resolve }] of calls.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }
}
