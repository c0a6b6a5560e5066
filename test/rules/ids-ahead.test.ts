import { expect, it, onTestFinished, vi } from 'vitest'
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

it('lets a script that fails, or does not end, with one number fail for whoever takes that number alone', async () => {
  // No request waits too long, however slowly threads start here.
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const rules = openRules()
  await rules.load(
    await writeRules({
      r: script({
        body: `
          local n = counter:generate_counter()
          if n == 40 then while true do end end
          if n == 60 then error('sixty') end
          return n`,
      }),
    }),
  )
  const ids: string[] = []
  for (let i = 0; i < 80; i++)
    ids.push(await Promise.resolve(rules.create('r', 'app', '')).catch(({ message }) => message))
  const expected = Array.from({ length: 80 }, (_, i) => expect.stringMatching(new RegExp(`^${i}$`)))
  expected[40] = expect.stringContaining('ran longer than 30 ms')
  expected[60] = expect.stringContaining('sixty')
  expect(ids).toEqual(expected)
})

it('I9: keeps none that were made ahead beyond their second', async () => {
  const time = new TestTime('2026-11-21T10:00:00')
  const rules = openRules({ time: time.clock() })
  await rules.load(await writeRules({ r: script({ body: PRINTS_ALL }) }))
  for (let i = 0; i < 40; i++) await rules.create('r', 'app', '')
  time.pass(1)
  expect(rules.create('r', 'app', '')).toBeInstanceOf(Promise)
})
