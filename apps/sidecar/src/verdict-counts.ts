import type { Verifier } from '#verifier';

/** What came of requests to `/verify`, and how long they took. */
export class VerdictCounts {
  readonly #counts = new Map<string, number>();
  #seconds = 0;

  /** @param verdict `accepted`, `accepted-stale`, or the code of the refusal */
  add(verdict: string, seconds: number): void {
    this.#counts.set(verdict, (this.#counts.get(verdict) ?? 0) + 1);
    this.#seconds += seconds;
  }

  /** In the text format of Prometheus. Codes come from a closed list, so that series stay few. */
  expose(verifier: Verifier): string {
    const { ageMs = Number.POSITIVE_INFINITY, entries, keys } = verifier.view();
    const counts = Array.from(this.#counts, ([verdict, count]) => [`{verdict="${verdict}"}`, count] as const);
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    return [
      metric('verdicts_total', 'counter', 'Requests to /verify, by what came of them', counts),
      metric('verification_seconds_sum', 'counter', 'Time that all verdicts took', [['', this.#seconds]]),
      metric('verification_seconds_count', 'counter', 'Verdicts in that time', [['', total]]),
      metric('knowledge_age_seconds', 'gauge', 'Age of what is known of revocations', [['', ageMs / 1_000]]),
      metric('revocations', 'gauge', 'Revocations in memory', [['', entries]]),
      metric('keys', 'gauge', 'Keys that are trusted', [['', keys.length]]),
    ].join('');
  }
}

type Series = readonly (readonly [labels: string, value: number])[];

function metric(name: string, type: 'counter' | 'gauge', help: string, series: Series): string {
  const full = `gatehouse_sidecar_${name}`;
  const lines = series.map(
    ([labels, value]) => `${full}${labels} ${value === Number.POSITIVE_INFINITY ? '+Inf' : value}`,
  );
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines, ''].join('\n');
}
