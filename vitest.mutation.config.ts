import { defineConfig } from 'vitest/config'

/** What mutation tests run for each mutant: tests in this process alone, of milliseconds each. */
export default defineConfig({
  test: {
    include: [
      'test/core/*.test.ts',
      'test/redis/{decoder,input,replies,reply}.test.ts',
      'test/http/{id-request,lane-connection,lane-requests}.test.ts',
      'test/udp/{networks,request,rule-reply}.test.ts',
      'test/rules/{calendar,counter-periods,rule-clock,time-zone}.test.ts',
      'test/store/{counter,generator,segment}.test.ts',
    ],
    testTimeout: 10_000,
  },
})
