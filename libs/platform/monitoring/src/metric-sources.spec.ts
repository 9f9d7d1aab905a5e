import { expect, test } from 'vitest';

import { MetricSources } from './metric-sources.js';

test('two parts cannot register a metric under one name', () => {
  const metrics = new MetricSources();
  const source = { name: 'sessions_total', help: 'Sessions begun', kind: 'counter', read: () => 0 } as const;
  metrics.register(source);
  expect(() => metrics.register(source)).toThrow('registered twice');
  expect(metrics.all).toEqual([source]);
});
