import { defineConfig } from 'vitest/config';
import { programAlias, programEnvironment } from './test/support/program.ts';

export default defineConfig({
  test: {
    include: ['test/matrix/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    alias: programAlias,
    env: await programEnvironment(),
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
