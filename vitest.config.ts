import { createRequire } from 'node:module';

import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

/**
 * One suite over HTTP on each database; what needs replicas, processes of its own or no particular database on PostgreSQL.
 */
const shared = {
  globalSetup: ['test/support/global-setup.ts'],
  setupFiles: ['test/support/setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  // Vite would take the `module` of graphql, Node takes its `main` for the packages that use it: there must be one copy
  resolve: { conditions: ['source'], alias: [{ find: /^graphql$/, replacement: require.resolve('graphql') }] },
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
          include: [
            'test/e2e/**/*.spec.ts',
            'test/http/**/*.spec.ts',
            'test/replicas/**/*.spec.ts',
            'test/browser/**/*.spec.ts',
          ],
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
