import { Injectable } from '@nestjs/common';

/** One series: its labels, and its value in the unit that the metric's name says. */
export type MetricReading = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

type Readings = number | readonly MetricReading[];

/**
 * A number that a part has anyway; it is read when somebody asks for metrics. `name` comes without
 * the prefix `gatehouse_`; counters end in `_total`; units are seconds and bytes. Labels must come
 * from a closed set, because each value stays as a series.
 */
export type MetricSource = {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labelNames?: readonly string[];
  readonly read: () => Readings | Promise<Readings>;
};

/** Parts register their metrics here. A metric costs nothing until somebody reads it. */
@Injectable()
export class MetricSources {
  readonly #sources = new Map<string, MetricSource>();

  /** Call in `onModuleInit`. @throws when the name is taken */
  register(...sources: readonly MetricSource[]): void {
    for (const source of sources) {
      if (this.#sources.has(source.name)) throw new Error(`The metric ${source.name} is registered twice`);
      this.#sources.set(source.name, source);
    }
  }

  get all(): readonly MetricSource[] {
    return [...this.#sources.values()];
  }
}
