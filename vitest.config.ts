import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/build.ts'],
    pool: 'forks',
    // One core would be left idle otherwise, which on a small machine is half of it; most tests wait for a process, a thread or a database.
    maxWorkers: '100%',
    testTimeout: 60_000,
    // Machines stall: a condition is waited for as long as its test may take.
    expect: { poll: { timeout: 50_000 } },
    hookTimeout: 60_000,
  },
});
