import { expect, it, onTestFinished, vi } from 'vitest'
import type { Rules } from '../../src/rules/rules.ts'
import { seededRandom } from '../support/random.ts'
import { openRules, script, TestTime, writeRules } from './instance.ts'

const SEED = Number(process.env.SEQSVR_TEST_SEED ?? Date.now() % 2 ** 31)

/** Prints all that an id may depend on. */
const PRINTS_ALL =
  "return now:minute() * 60 + now:second() .. '/' .. counter:generate_counter() .. '/' .. salt"

it('answers from the second burst on without the script, each number once and in order', async () => {
  const rules = openRules()
  await rules.load(await writeRules({ r: script({ body: PRINTS_ALL }) }))
  const ids: string[] = []
  let atOnce = 0
  for (let i = 0; i < 90; i++) {
    const id = rules.create('r', 'app', 's')
    if (typeof id === 'string') atOnce++
    ids.push(await id)
  }
  expect(ids).toEqual(Array.from({ length: 90 }, (_, i) => `1230/${i}/s`))
  // The first waits for its number, and as many are made ahead as there were already: 1, 2, 4, …
  expect(atOnce).toBeGreaterThanOrEqual(60)
})

it('I10: makes nothing ahead with a time, a salt or a counter that is not the one of the request', async () => {
  console.log(`SEQSVR_TEST_SEED=${SEED}`)
  const random = seededRandom(SEED)
  const time = new TestTime('2026-11-21T10:00:00')
  const rules = openRules({ time: time.clock(), idStep: 3, idOffset: 1 })
  await rules.load(await writeRules({ r: script({ body: PRINTS_ALL }) }))
  const next = new Map<string, number>()
  let seconds = 0
  for (let burst = 0; burst < 300; burst++) {
    if (random() < 0.2) {
      time.pass(1)
      seconds++
    }
    const salt = random() < 0.8 ? '' : 'x'
    const asked = Array.from({ length: 1 + Math.floor(random() * 8) }, async () => {
      const app = random() < 0.8 ? 'a' : 'b'
      return { app, id: await rules.create('r', app, salt) }
    })
    for (const { app, id } of await Promise.all(asked)) {
      const number = next.get(app) ?? 1
      expect(id).toBe(`${seconds}/${number}/${salt}`)
      next.set(app, number + 3)
    }
  }
})

it('ends a script that does not end with one number once in vain, and lets only its request fail', async () => {
  // No request waits too long, however slowly threads start here.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const rules = openRules()
  await rules.load(
    await writeRules({
      r: script({
        body: 'local n = counter:generate_counter() if n == 40 then while true do end end return n',
      }),
    }),
  )
  const ids: string[] = []
  for (let i = 0; i < 80; i++) ids.push(await outcome(rules, ''))
  const expected = Array.from({ length: 80 }, (_, i) => expect.stringMatching(new RegExp(`^${i}$`)))
  expected[40] = expect.stringContaining('ran longer than 30 ms')
  expect(ids).toEqual(expected)
  expect(rules.scripts[0]?.kills).toBeLessThanOrEqual(2)
})

it('goes on making ids ahead behind numbers with which the script fails', async () => {
  const rules = openRules()
  await rules.load(
    await writeRules({
      r: script({
        body: "local n = counter:generate_counter() if n % 50 == 49 then error('every fiftieth') end return n",
      }),
    }),
  )
  let atOnce = 0
  for (let i = 0; i < 500; i++) {
    const id = rules.create('r', 'app', '')
    if (typeof id === 'string') atOnce++
    const asked = await Promise.resolve(id).catch(({ message }) => message)
    if (i % 50 === 49) expect(asked).toContain('every fiftieth')
    else expect(asked).toBe(String(i))
  }
  expect(atOnce).toBeGreaterThan(250)
})

it('runs the script for no number above max_counter()', async () => {
  const rules = openRules()
  await rules.load(
    await writeRules({
      r: script({
        max: '99',
        body: 'local n = counter:generate_counter() while n > 99 do end return n',
      }),
    }),
  )
  for (let i = 0; i < 100; i++) expect(await rules.create('r', 'app', '')).toBe(String(i))
  expect(await outcome(rules, '')).toContain('max_counter() is 99')
  expect(rules.scripts[0]?.kills).toBe(0)
})

it('I1: shifts no result by a message that is cut in the middle of a character', async () => {
  const time = new TestTime('2026-11-21T10:00:00')
  const rules = openRules({ time: time.clock() })
  await rules.load(
    await writeRules({
      r: script({
        min: '1',
        body: "if salt ~= '' then error(salt:sub(1, 1), 0) end return counter:generate_counter()",
      }),
    }),
  )
  const ids: string[] = []
  for (let i = 0; i < 6; i++) ids.push(await outcome(rules, ''))
  time.pass(1)
  ids.push(await outcome(rules, ''))
  const [failed, ninth] = await Promise.all([outcome(rules, 'é'), outcome(rules, '')])
  expect(failed).toMatch(/\.lua: \?$/)
  ids.push(ninth)
  for (let i = 0; i < 4; i++) ids.push(await outcome(rules, ''))
  expect(ids).toEqual(['1', '2', '3', '4', '5', '6', '7', '9', '10', '11', '12', '13'])
})

it('I9: makes nothing ahead for the next second', async () => {
  const time = new TestTime('2026-11-21T10:00:00')
  const rules = openRules({ time: time.clock() })
  await rules.load(await writeRules({ r: script({ body: PRINTS_ALL }) }))
  for (let i = 0; i < 40; i++) await rules.create('r', 'app', '')
  time.pass(1)
  expect(rules.create('r', 'app', '')).toBeInstanceOf(Promise)
})

/** An id, or what went wrong. */
async function outcome(rules: Rules, salt: string): Promise<string> {
  try {
    return await rules.create('r', 'app', salt)
  } catch (error) {
    return (error as Error).message
  }
}
