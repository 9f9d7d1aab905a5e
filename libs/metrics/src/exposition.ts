import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { z } from 'zod';

import type { MetricSource } from '#libs/platform/monitoring';

const prefix = 'gatehouse_';
/** Gauges of prom-client with names of counters; `promtool check metrics` refuses these. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
/** What counters and gauges have in common. */
type Metric = { reset(): void; remove(): void; inc(labels: Readonly<Record<string, string>>, value: number): void };
const manifest = z.object({ version: z.string() });

/** A registry with the metrics of the parts, of the process, and of the build. */
export class Exposition {
  readonly registry = new Registry();

  constructor(sources: readonly MetricSource[]) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamed) this.registry.removeSingleMetric(name);
    for (const source of sources) this.#add(source);
    const build = new Gauge({
      name: `${prefix}build_info`,
      help: 'Always 1; the labels tell what runs',
      labelNames: ['version'],
      registers: [this.registry],
    });
    build.set({ version: ownVersion() }, 1);
  }

  #add({ name, help, kind, labelNames = [], read }: MetricSource): void {
    const collect = async (): Promise<void> => {
      const found = await Promise.resolve()
        .then(read)
        .catch(() => []);
      metric.reset();
      const readings = typeof found === 'number' ? [{ labels: {}, value: found }] : found;
      // a part that cannot be asked has no series, where a reset leaves a 0; others tell what is wrong
      if (readings.length === 0 && labelNames.length === 0) metric.remove();
      for (const { labels, value } of readings) metric.inc(labels, value);
    };
    const options = { name: prefix + name, help, labelNames, registers: [this.registry], collect };
    const metric: Metric = kind === 'counter' ? new Counter(options) : new Gauge(options);
  }
}

function ownVersion(): string {
  const path = findPackageJSON('..', import.meta.url);
  return path === undefined ? 'unknown' : manifest.parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}
