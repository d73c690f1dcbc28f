import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    // Examples import the package by name, as a user would.
    alias: [
      { find: /^coldstart$/, replacement: source('index.ts') },
      { find: /^coldstart\/data$/, replacement: source('data/index.ts') },
      { find: /^coldstart\/rewards$/, replacement: source('reward/index.ts') },
      { find: /^coldstart\/eval$/, replacement: source('eval/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Some tests start the compiled command line.
    globalSetup: ['test/build-once.ts'],
    // The addon keeps threads of its own; they end with their process, not with a worker thread.
    pool: 'forks',
    maxWorkers: 2,
    // A guard against hanging, generous: the machine may be busy.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
