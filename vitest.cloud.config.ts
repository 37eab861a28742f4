import { defineConfig } from 'vitest/config';
import { compileCache } from './test/support/compile-cache.ts';

/** `npm run test:cloud`: against an emulator of AWS (test/cloud/emulator.ts) and a real PostgreSQL. */
export default defineConfig({
  test: {
    include: ['test/cloud/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts', 'test/cloud/setup.ts'],
    env: { NODE_COMPILE_CACHE: compileCache },
    testTimeout: 180_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
