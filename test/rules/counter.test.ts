import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { Rules } from '../../src/rules/rules.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'
import { until } from '../support/until.ts'
import { openRules, script, TestTime, writeRules } from './instance.ts'
import { MemoryCounters } from './memory-counters.ts'

const ask = async (rules: Rules, app = 'app') => rules.create('r', app, '')
const outage = new SequenceError('STORE_UNAVAILABLE', 'the store is away')

describe('a counter', () => {
  it('starts at min_counter() and counts every app_name by itself', async () => {
    const rules = openRules()
    await rules.load(await writeRules({ r: script({ min: '7' }) }))
    expect(await ask(rules)).toBe('20261121102030/7')
    expect(await ask(rules)).toBe('20261121102030/8')
    expect(await ask(rules, 'other')).toBe('20261121102030/7')
    expect(await ask(rules, '')).toBe('20261121102030/7')
  })

  it('the older way: id_offset is where an instance starts, id_step how far it moves', async () => {
    const store = new MemoryCounters()
    const configs = await writeRules({ r: script() })
    const ids: string[] = []
    for (const idOffset of [0, 1, 2]) {
      const rules = openRules({ store, idStep: 3, idOffset })
      await rules.load(configs)
      for (let i = 0; i < 3; i++) ids.push((await ask(rules)).split('/')[1] as string)
    }
    expect(ids).toEqual(['0', '3', '6', '1', '4', '7', '2', '5', '8'])
  })

  it('I2: reserves batch_save numbers before it gives the first', async () => {
    const store = new MemoryCounters()
    const rules = openRules({ store })
    await rules.load(await writeRules({ r: script() }, 50))
    store.failure = outage
    await expect(ask(rules)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    store.failure = undefined
    let id: string | undefined
    await until(5_000, async () => {
      id = await ask(rules).catch(() => undefined)
      return id !== undefined
    })
    expect(id).toBe('20261121102030/0')
    expect(store.rows.get('0/r/app')?.counter).toBe(49n)
  })

  it('I8: fetches ahead, and goes on without the store while it holds numbers', async () => {
    const store = new MemoryCounters()
    const rules = openRules({ store })
    await rules.load(await writeRules({ r: script() }, 10))
    for (let i = 0; i < 6; i++) await ask(rules)
    expect(store.rows.get('0/r/app')?.counter).toBe(19n)
    store.failure = outage
    for (let i = 6; i < 20; i++) expect(await ask(rules)).toMatch(new RegExp(`/${i}$`))
  })

  it('I6: is exhausted at its maximum, and starts again in the next period', async () => {
    const time = new TestTime('2026-11-21T10:20:30')
    const rules = openRules({ time: time.clock() })
    await rules.load(await writeRules({ r: script({ min: '1', max: '5' }) }))
    for (let i = 1; i <= 5; i++) expect(await ask(rules)).toBe(`20261121102030/${i}`)
    await expect(ask(rules)).rejects.toMatchObject({
      code: 'EXHAUSTED',
      message: expect.stringContaining('max_counter() is 5'),
    })
    await expect(ask(rules)).rejects.toMatchObject({ code: 'EXHAUSTED' })
    time.pass(86_400)
    expect(await ask(rules)).toBe('20261122102030/1')
  })

  it('gives many at once, of one reading of the clock, or none', async () => {
    const rules = openRules()
    await rules.load(await writeRules({ r: script({ max: '9' }) }, 3))
    expect(await rules.createMany('r', 'app', '', 7)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((counter) => `20261121102030/${counter}`),
    )
    await expect(rules.createMany('r', 'app', '', 7)).rejects.toMatchObject({ code: 'EXHAUSTED' })
    expect(await ask(rules)).toBe('20261121102030/7')
  })

  it('I1: goes on above what was reserved after a crash, and the rest is a gap', async () => {
    const store = new MemoryCounters()
    const configs = await writeRules({ r: script() }, 10)
    const first = openRules({ store })
    await first.load(configs)
    expect(await ask(first)).toMatch(/\/0$/)
    const second = openRules({ store })
    await second.load(configs)
    expect(await ask(second)).toMatch(/\/10$/)
  })

  it('I3: refuses a store that went backwards, until a person raises the row', async () => {
    const store = new MemoryCounters()
    const rules = openRules({ store })
    await rules.load(await writeRules({ r: script() }, 2))
    for (let i = 0; i < 8; i++) await ask(rules)
    const updateSeconds = Date.parse('2026-11-21T10:20:30Z') / 1000
    store.rows.set('0/r/app', { counter: 3n, updateSeconds, isRefused: false })
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => ask(rules)))
    expect(answers.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'REGRESSED' } })
    expect(rules.refusal).toContain('the store went backwards')

    // A restarted one has seen nothing, and learns it from the row.
    const restarted = openRules({ store })
    await restarted.load(await writeRules({ r: script() }, 2))
    await expect(ask(restarted)).rejects.toMatchObject({ code: 'REGRESSED' })
    expect(await restarted.monitor('r', 'app')).toEqual({ counter: 9n, nodeOffset: 0 })
    for (const refusing of [rules, restarted]) refusing.close()
    store.rows.set('0/r/app', { counter: 99n, updateSeconds, isRefused: false })
    const mended = openRules({ store })
    await mended.load(await writeRules({ r: script() }, 2))
    expect(await ask(mended)).toBe('20261121102030/100')
  })
})

describe('a new period', () => {
  async function fleet(zone: string, utc: string, settings: Parameters<typeof script>[0], instances = 3) {
    const time = new TestTime(utc)
    const store = new MemoryCounters()
    const configs = await writeRules({ r: script(settings) }, 4)
    const open = async () => {
      const rules = openRules({ store, zone: new TimeZone(zone), time: time.clock() })
      await rules.load(configs)
      return rules
    }
    return { time, open, fleet: await Promise.all(Array.from({ length: instances }, open)) }
  }

  it('starts at the minimum once at midnight of the time zone, whichever instance comes first', async () => {
    const { time, fleet: instances } = await fleet('Asia/Shanghai', '2026-11-21T15:59:58', {})
    const day = async () => {
      const ids: string[] = []
      for (let i = 0; i < 6; i++) for (const rules of instances) ids.push(await ask(rules))
      return ids
    }
    const before = await day()
    time.pass(1)
    const last = await day()
    time.pass(1)
    const after = await day()
    expect(new Set([...before, ...last, ...after]).size).toBe(54)
    expect([...before, ...last].filter((id) => id.endsWith('/0'))).toEqual(['20261121235958/0'])
    expect(after.filter((id) => id.endsWith('/0'))).toEqual(['20261122000000/0'])
  })

  it('starts once although the clock of one instance is behind: it goes on with the time of the store', async () => {
    const store = new MemoryCounters()
    const configs = await writeRules({ r: script() }, 4)
    const [ahead, behind] = [new TestTime('2026-11-22T00:00:01'), new TestTime('2026-11-21T23:59:50')]
    const fast = openRules({ store, time: ahead.clock() })
    const slow = openRules({ store, time: behind.clock() })
    await Promise.all([fast.load(configs), slow.load(configs)])
    expect(await ask(slow)).toBe('20261121235950/0')
    expect(await ask(fast)).toBe('20261122000001/0')
    const ids = await Promise.all(Array.from({ length: 12 }, () => ask(slow)))
    // What it had reserved of the old day is good; the rest is of the new one.
    expect(ids.slice(0, 3)).toEqual(['20261121235950/1', '20261121235950/2', '20261121235950/3'])
    expect(ids[3]).toBe('20261122000001/4')
    behind.pass(10)
    expect(await ask(slow)).toMatch(/^2026112200000/)
  })

  it('I1: starts once although an instance crashed in it, and the next one has a clock that was set back', async () => {
    const {
      time,
      open,
      fleet: [rules],
    } = await fleet('UTC', '2026-11-22T00:10:00', {}, 1)
    expect(await ask(rules as Rules)).toBe('20261122001000/0')
    rules?.close()
    time.wallMs -= 3_600_000
    expect(await ask(await open())).toBe('20261122001000/4')
  })

  it('I10: no repeat and no skipped reset when the clock is set back an hour', async () => {
    const { time, fleet: instances } = await fleet('UTC', '2026-11-21T23:30:00', { reset: '1800' })
    const seen = new Set<string>()
    const resets: string[] = []
    for (let step = 0; step < 300; step++) {
      if (step === 60) time.wallMs -= 3_600_000
      time.pass(60)
      for (const rules of instances) {
        const id = await ask(rules)
        const [clock, counter] = id.split('/') as [string, string]
        const half = `${clock.slice(0, 10)}${Number(clock.slice(10, 12)) < 30 ? '00' : '30'}`
        expect(seen).not.toContain(`${half}/${counter}`)
        seen.add(`${half}/${counter}`)
        if (counter === '0') resets.push(half)
      }
    }
    expect(resets).toEqual([
      ...['202611212330', '202611220000', '202611220030', '202611220100', '202611220130', '202611220200'],
      ...['202611220230', '202611220300', '202611220330'],
    ])
  })

  it.each([
    ['back', '2026-10-25T00:30:00', ['0230', '0300', '0330', '0400']],
    ['forward', '2026-03-29T00:15:00', ['0100', '0130', '0300', '0330', '0400', '0430']],
  ])('no repeat and no skipped reset when clocks go %s for summer time', async (_, utc, halves) => {
    const { time, fleet: instances } = await fleet('Europe/Berlin', utc, { reset: '1800' })
    const ids: string[] = []
    for (let minute = 0; minute < 160; minute++) {
      for (const rules of instances) ids.push(await ask(rules))
      time.pass(60)
    }
    const keys = ids.map((id) => {
      const [clock, counter] = id.split('/') as [string, string]
      return `${clock.slice(8, 10)}${Number(clock.slice(10, 12)) < 30 ? '00' : '30'}/${counter}`
    })
    expect(new Set(keys).size).toBe(ids.length)
    expect(keys.filter((key) => key.endsWith('/0')).map((key) => key.slice(0, 4))).toEqual(halves)
  })

  it('reset_seconds below 1: never', async () => {
    const {
      time,
      fleet: [rules],
    } = await fleet('UTC', '2026-11-21T10:00:00', { reset: '0' }, 1)
    expect(await ask(rules as Rules)).toBe('20261121100000/0')
    time.pass(400 * 86_400)
    expect(await ask(rules as Rules)).toBe('20271226100000/1')
  })

  it('is not begun with the time of a row from far in the future', async () => {
    const store = new MemoryCounters()
    store.rows.set('0/r/app', { counter: 3n, updateSeconds: 4_070_908_800, isRefused: false })
    const rules = openRules({ store })
    await rules.load(await writeRules({ r: script() }))
    await expect(ask(rules)).rejects.toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('2099-01-01'),
    })
  })
})
