import { createRequire } from 'node:module';

import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

/**
 * A spec of `test/<feature>/` runs on each database. Its suffix says when it does not: `.pg`, `.replicas` and `.browser`
 * run on PostgreSQL alone, `.process` starts processes of its own.
 */
const features = ['test/**/*.spec.ts'];
const oneDatabase = ['test/**/*.{pg,replicas,process,browser}.spec.ts', 'test/architecture/**'];
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
    // on two cores, since tests wait for mail, notices and processes a good part of their time
    maxWorkers: 4,
    // the service keeps nothing in module scope, and loading it anew for each file would cost more than the tests
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{libs,packages}/**/*.spec.ts', 'test/architecture/**/*.spec.ts'] },
      },
      {
        extends: true,
        test: { ...shared, name: 'pglite', include: features, exclude: oneDatabase, provide: { database: 'pglite' } },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'postgres',
          include: features,
          exclude: ['test/**/*.process.spec.ts', 'test/architecture/**'],
          provide: { database: 'postgres' },
        },
      },
      {
        extends: true,
        test: { ...shared, name: 'process', include: ['test/**/*.process.spec.ts'], provide: { database: 'postgres' } },
      },
    ],
  },
});
