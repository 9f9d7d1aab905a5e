import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { z } from 'zod';

import type { MetricSource } from '#libs/platform/monitoring';

const prefix = 'gatehouse_';
/** Gauges of prom-client whose names end like those of counters, which `promtool check metrics` objects to. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
const manifest = z.object({ version: z.string() });

/** A registry of what the parts offer, of the process, and of the build. */
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
    const options = { name: prefix + name, help, labelNames, registers: [this.registry] };
    const readings = async () => {
      const found = await read();
      return typeof found === 'number' ? [{ labels: {}, value: found }] : found;
    };
    if (kind === 'counter') {
      const counter = new Counter({
        ...options,
        collect: async () => {
          const found = await readings();
          counter.reset();
          for (const { labels, value } of found) counter.inc(labels, value);
        },
      });
      return;
    }
    const gauge = new Gauge({
      ...options,
      collect: async () => {
        const found = await readings();
        gauge.reset();
        for (const { labels, value } of found) gauge.set(labels, value);
      },
    });
  }
}

function ownVersion(): string {
  const path = findPackageJSON('..', import.meta.url);
  return path === undefined ? 'unknown' : manifest.parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}
