import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/build.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    // Machines stall: a condition is waited for as long as its test may take.
    expect: { poll: { timeout: 50_000 } },
    hookTimeout: 60_000,
  },
});
