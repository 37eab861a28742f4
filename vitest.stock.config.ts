import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/stock/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
