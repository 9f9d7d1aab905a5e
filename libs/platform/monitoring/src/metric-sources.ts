import { Injectable } from '@nestjs/common';

/** One series: its labels, by name, and its value in the base unit that the metric's name says. */
export type MetricReading = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

type Readings = number | readonly MetricReading[];

/**
 * A number that a part keeps anyway and that is read when somebody asks for metrics. `name` without the prefix
 * `gatehouse_`; counters end in `_total`, units are seconds and bytes. Labels must come from a closed set: each value is
 * a series for ever.
 */
export type MetricSource = {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labelNames?: readonly string[];
  readonly read: () => Readings | Promise<Readings>;
};

/** Where parts offer their numbers, whether metrics are on or not: to register costs nothing until somebody reads. */
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
