import { describe, expect, it } from 'vitest'
import { runSchedule } from './fleet.ts'

/** Schedules to run, and the first seed: set both to replay what failed, e.g. SEQSVR_TEST_SEED=1234 SEQSVR_TEST_SCHEDULES=1. */
const SCHEDULES = Number(process.env.SEQSVR_TEST_SCHEDULES ?? 3000)
const SEED = Number(process.env.SEQSVR_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))

describe('a fleet in virtual time', () => {
  it(`I1, I2, I3, I5: ${SCHEDULES} schedules from seed ${SEED} issue no id twice and none out of order`, async () => {
    let issued = 0
    for (let seed = SEED; seed < SEED + SCHEDULES; seed++) {
      const result = await runSchedule(seed)
      if (result.violations.length > 0) await runSchedule(seed, { trace: console.error })
      expect(result.violations, `replay with SEQSVR_TEST_SEED=${seed} SEQSVR_TEST_SCHEDULES=1`).toEqual([])
      issued += result.issued
    }
    expect(issued).toBeGreaterThan(SCHEDULES * 100)
  }, 300_000)

  it('a schedule replays exactly from its seed', async () => {
    expect(await runSchedule(42)).toEqual(await runSchedule(42))
  })

  it('finds the duplicates of a store that answers before the commit is known (I2)', async () => {
    let caught = 0
    for (let seed = 1; seed <= 1500; seed++)
      if ((await runSchedule(seed, { broken: true })).violations.length > 0) caught++
    expect(caught).toBeGreaterThan(0)
  })
})
