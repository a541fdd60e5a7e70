import { existsSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

const SECOND = 1_000;

/** Brings the stack up once for all end-to-end files, or takes the one that ANCHORLINE_* names. */
const STACK_FIXTURE = 'test/support/stack-fixture.ts';

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
          ...(existsSync(STACK_FIXTURE) ? { globalSetup: [STACK_FIXTURE] } : {}),
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
