import { defineConfig } from 'vitest/config';

const SECOND = 1_000;

/**
 * Four tiers by suffix: what a test needs decides how it may run.
 * Each tier is a project, so that `vitest run --project unit` needs nothing but Node.
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{db,e2e,sim}.test.ts'],
          testTimeout: 15 * SECOND,
        },
      },
      {
        test: {
          name: 'db',
          include: ['test/**/*.db.test.ts'],
          testTimeout: 120 * SECOND,
          hookTimeout: 180 * SECOND,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'sim',
          include: ['test/**/*.sim.test.ts'],
          testTimeout: 300 * SECOND,
          hookTimeout: 60 * SECOND,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          globalSetup: ['test/support/stack-fixture.ts'],
          // One stack, one file at a time: the tests kill and restart what the others would be using.
          pool: 'forks',
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 300 * SECOND,
          hookTimeout: 600 * SECOND,
        },
      },
    ],
  },
});
