import { SqlEntityManager } from '@mikro-orm/sql';
import { expect, test } from 'vitest';

import { MetricSources } from '#libs/platform/monitoring';

import { Sweeper } from './sweeper.js';

test('a second sweep of one name is refused, so that neither takes the place of the other', () => {
  const sweeper = new Sweeper(Object.create(SqlEntityManager.prototype), new MetricSources());
  sweeper.register('sessions', () => Promise.resolve(0));
  expect(() => sweeper.register('sessions', () => Promise.resolve(0))).toThrow('sessions');
});
