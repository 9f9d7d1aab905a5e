/** A terminal shows one line that is redrawn; anything else gets a line every 10 s. */
export type Screen = { readonly isTTY?: boolean; write(text: string): unknown };

const drawEveryMs = { terminal: 200, plain: 10_000 };

/** Shows rows and their rate, and when the total size is known, the share and the time left. */
export class Progress {
  readonly #startedMs = performance.now();
  #drawnMs = performance.now();
  #rows = 0;
  #refused = 0;
  #bytes = 0;

  constructor(
    private readonly screen: Screen,
    private readonly totalBytes: number | undefined,
  ) {}

  /** Counts the bytes that were read. */
  read(bytes: number): void {
    this.#bytes += bytes;
  }

  add(rows: number, refused: number): void {
    this.#rows += rows;
    this.#refused += refused;
    const now = performance.now();
    if (now - this.#drawnMs < drawEveryMs[this.screen.isTTY ? 'terminal' : 'plain']) return;
    this.#drawnMs = now;
    const text = this.#line((now - this.#startedMs) / 1_000);
    this.screen.write(this.screen.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** Clears the line of the terminal. */
  end(): void {
    if (this.screen.isTTY) this.screen.write('\r\x1b[K');
  }

  #line(seconds: number): string {
    const perSecond = Math.round(this.#rows / seconds);
    const share = this.totalBytes ? Math.min(1, this.#bytes / this.totalBytes) : undefined;
    return [
      ...(share === undefined ? [] : [`${bar(share)} ${Math.floor(share * 100)} %`]),
      `${this.#rows} rows`,
      `${perSecond}/s`,
      ...(share === undefined ? [] : [`${clock((seconds / share) * (1 - share))} left`]),
      ...(this.#refused > 0 ? [`${this.#refused} refused`] : []),
    ].join('  ');
  }
}

const barCells = 24;
const bar = (share: number): string => '█'.repeat(Math.round(share * barCells)).padEnd(barCells, '░');

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
