import { defineConfig } from 'vitest/config';
import { programAlias, programEnvironment } from './test/support/program.ts';

const common = {
  env: await programEnvironment(),
  alias: programAlias,
  // A run takes 15 s on a calm machine, and two minutes on one with ten times the work that it has processors for.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  maxWorkers: 2,
};

/**
 * `npm run test:cloud`: against an emulator of AWS (test/cloud/emulator.ts) and a real PostgreSQL. `--project adapters`
 * needs no deployment, `--project deployed` begins with `cdk deploy` of everything, `--project iam` does so with policies
 * enforced.
 */
export default defineConfig({
  test: {
    // Servers and an emulator with all its functions, on a machine that is at work too.
    teardownTimeout: 60_000,
    projects: [
      {
        test: {
          ...common,
          name: 'adapters',
          include: ['test/cloud/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts', 'test/cloud/setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'deployed',
          // One source, one pair of servers, and a Region that is closed for a while: one file after the other.
          fileParallelism: false,
          include: ['test/cloud/deployed/*.test.ts'],
          globalSetup: ['test/cloud/deployed/setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'iam',
          // A deployment of its own, on an emulator that enforces policies.
          fileParallelism: false,
          include: ['test/cloud/iam/*.test.ts'],
          globalSetup: ['test/cloud/iam/setup.ts'],
        },
      },
    ],
  },
});
