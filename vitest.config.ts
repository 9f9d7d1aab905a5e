import { defineConfig } from 'vitest/config';

/** One suite over HTTP on each database; what needs replicas or processes of its own on PostgreSQL or built code. */
const shared = {
  globalSetup: ['test/support/global-setup.ts'],
  setupFiles: ['test/support/setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    maxWorkers: 2,
    // the service keeps nothing in module scope, and loading it anew for each file would cost more than the tests
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['libs/**/*.spec.ts', 'test/architecture/**/*.spec.ts'] },
      },
      {
        extends: true,
        test: { ...shared, name: 'pglite', include: ['test/e2e/**/*.spec.ts'], provide: { database: 'pglite' } },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'postgres',
          include: ['test/e2e/**/*.spec.ts', 'test/replicas/**/*.spec.ts'],
          provide: { database: 'postgres' },
        },
      },
      {
        extends: true,
        test: { ...shared, name: 'process', include: ['test/process/**/*.spec.ts'], provide: { database: 'postgres' } },
      },
    ],
  },
});
