import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BROKEN } from './broken-parts.ts'
import { Coverage } from './coverage.ts'
import { runSchedule, type ScheduleOptions } from './fleet.ts'

const { SEQSVR_TEST_SCHEDULES, SEQSVR_TEST_SEED } = process.env

/** Schedules to run, and the first seed: set both to replay what failed, e.g. SEQSVR_TEST_SEED=1234 SEQSVR_TEST_SCHEDULES=1. */
const SCHEDULES = Number(SEQSVR_TEST_SCHEDULES ?? 2000)
const SEED = Number(SEQSVR_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Enough to meet every transition, the rarest one in 200 schedules or so. */
const COVERING_SCHEDULES = 2000

/** Schedules in which a broken core must be caught. */
const CATCHING_SCHEDULES = 1500

// An error is made for each refusal, and its stack is half of the cost of a schedule.
const { stackTraceLimit } = Error
beforeAll(() => {
  Error.stackTraceLimit = 0
})
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit
})

describe('a fleet in virtual time', () => {
  it(`keeps I1 to I8 and I10 in ${SCHEDULES} schedules from seed ${SEED}, and meets every transition`, async () => {
    const coverage = new Coverage()
    const used = process.cpuUsage()
    let issued = 0
    for (let seed = SEED; seed < SEED + SCHEDULES; seed++) {
      const result = await runSchedule(seed, { coverage })
      if (result.violations.length > 0) await replay(seed)
      expect(result.violations, `replay with SEQSVR_TEST_SEED=${seed} SEQSVR_TEST_SCHEDULES=1`).toEqual([])
      issued += result.issued
    }
    const { user, system } = process.cpuUsage(used)
    if (SEQSVR_TEST_SCHEDULES !== undefined)
      console.log(
        `${coverage.table()}\n\n${SCHEDULES} schedules from seed ${SEED}, ${issued} ids, ` +
          `${Math.round((SCHEDULES * 1e6) / (user + system))} schedules per second of CPU time`,
      )
    expect(issued).toBeGreaterThan(SCHEDULES)
    if (SCHEDULES >= COVERING_SCHEDULES) {
      expect(coverage.missing).toEqual([])
      expect(issued).toBeGreaterThan(SCHEDULES * 40)
    }
  }, 86_400_000)

  it('replays a schedule exactly from its seed', async () => {
    const traceOf = async (seed: number) => {
      const lines: string[] = []
      const result = await runSchedule(seed, { trace: (line) => void lines.push(line) })
      return { ...result, lines }
    }
    const seeds = [42, 43, 44, 45]
    const hashes = new Set<number>()
    for (const seed of seeds) {
      const first = await traceOf(seed)
      expect(await traceOf(seed)).toEqual(first)
      hashes.add(first.hash)
    }
    expect(hashes.size).toBe(seeds.length)
  })

  it.each(BROKEN)('catches $what', async ({ finds, parts }) => {
    expect(await firstCaught(finds, { parts })).toBeLessThanOrEqual(CATCHING_SCHEDULES)
  })
})

/** The first schedule, from 1 on, that finds a promise of this kind broken. */
async function firstCaught(finds: RegExp, options: ScheduleOptions): Promise<number> {
  for (let seed = 1; seed <= CATCHING_SCHEDULES; seed++) {
    const { violations } = await runSchedule(seed, options)
    if (violations.some((violation) => finds.test(violation))) {
      if (SEQSVR_TEST_SCHEDULES !== undefined) console.log(`caught by seed ${seed}: ${violations[0]}`)
      return seed
    }
  }
  return Number.POSITIVE_INFINITY
}

async function replay(seed: number): Promise<void> {
  Error.stackTraceLimit = stackTraceLimit
  await runSchedule(seed, { trace: console.error })
}
