import { defineConfig } from 'vitest/config';
import { programAlias, programEnvironment } from './test/support/program.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/cloud/**', 'test/matrix/**', 'test/stock/**'],
    globalSetup: 'test/support/global-setup.ts',
    alias: programAlias,
    env: await programEnvironment(),
    // A machine that does much else is ten times as slow as a calm one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Vitest's own second is too short for a machine that has other work.
    expect: { poll: { timeout: 30_000 } },
    // Two cores are the smallest machine that CI has; most time is spent in servers, not here.
    maxWorkers: 4,
  },
});
