import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { SequenceEvent } from '../../src/core/sequence.ts'
import type { CounterDemand, CounterGrant, CounterKey, CounterStore } from '../../src/core/store.ts'
import { Calendar } from '../../src/rules/calendar.ts'
import { Counter, type CounterRange } from '../../src/rules/counter.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { TestTime } from './instance.ts'
import { MemoryCounters } from './memory-counters.ts'

const NOON = Date.parse('2026-11-21T12:00:00Z') / 1000
const MIDNIGHT = Date.parse('2026-11-22T00:00:00Z') / 1000
const KEY: CounterKey = { nodeOffset: 0, ruleName: 'r', appName: 'a' }

interface Options {
  readonly range?: Partial<CounterRange>
  readonly store?: CounterStore
  readonly batchSave?: number
}

/** A counter of days that stands at noon, and what it asked the store for. */
function open({ range, store = new MemoryCounters(), batchSave = 10 }: Options = {}) {
  const clock = new VirtualClock()
  const time = new TestTime('2026-11-21T12:00:00')
  const demands: CounterDemand[] = []
  const events: SequenceEvent[] = []
  const counter = new Counter({
    key: KEY,
    store: {
      read: (key) => store.read(key),
      reserve: (key, demand) => {
        demands.push(demand)
        return store.reserve(key, demand)
      },
    },
    range: { first: 0n, last: 999n, step: 1n, ...range },
    calendar: new Calendar(new TimeZone('UTC'), 86_400),
    time: time.clock(),
    batchSave,
    clock,
    random: () => 1,
    observe: (event) => events.push(event),
  })
  return { counter, clock, time, demands, events }
}

/** A store that a test answers by hand. */
class ScriptedCounters implements CounterStore {
  readonly asks: {
    readonly grant: (grant: CounterGrant) => void
    readonly fail: (error: SequenceError) => void
  }[] = []

  reserve(): Promise<CounterGrant> {
    return new Promise((grant, fail) => this.asks.push({ grant, fail }))
  }

  async read(): Promise<undefined> {}
}

describe('the numbers of a counter', () => {
  it('I2: are reserved batch_save at a time, before the first is given', async () => {
    const { counter, demands } = open()
    expect([counter.last, counter.fault]).toEqual([undefined, undefined])
    const taken = counter.take()
    expect(taken).toBeInstanceOf(Promise)
    expect(counter.last).toBeUndefined()
    expect(await taken).toEqual({ counter: 0, seconds: NOON })
    expect(demands).toEqual([
      {
        sinceSeconds: MIDNIGHT - 86_400,
        untilSeconds: MIDNIGHT,
        seconds: NOON,
        first: 0n,
        last: 999n,
        step: 1n,
        count: 10,
        seen: undefined,
      },
    ])
    expect(counter.take()).toEqual({ counter: 1, seconds: NOON })
    expect(counter.last).toBe(1)
  })

  it('I3: are reserved with the greatest one seen, and never grow past batch_save by themselves', async () => {
    const { counter, demands, clock } = open({ range: { first: 5n, step: 3n } })
    const numbers: unknown[] = []
    for (let i = 0; i < 26; i++) {
      numbers.push((await counter.take()).counter)
      await clock.settle()
    }
    expect(numbers).toEqual(Array.from({ length: 26 }, (_, i) => 5 + 3 * i))
    expect(demands.map(({ count, seen }) => [count, seen])).toEqual([
      [10, undefined],
      [10, 32n],
      [10, 62n],
      [10, 92n],
    ])
  })

  it('are reserved in whole batches, as many as requests wait for', async () => {
    const { counter, demands } = open()
    const many = await counter.takeMany(25)
    expect(many).toEqual({ counters: Array.from({ length: 25 }, (_, i) => i), seconds: NOON })
    expect(counter.last).toBe(24)
    expect(demands.map(({ count }) => count)).toContain(30)
  })

  it('are given many at once of those held', async () => {
    const { counter } = open()
    await counter.take()
    expect(await counter.takeMany(2)).toEqual({ counters: [1, 2], seconds: NOON })
  })

  it.each([
    ['below 2^53', 9_007_199_254_740_989n, 9_007_199_254_740_991n, [9007199254740989, 9007199254740991]],
    [
      'across 2^53',
      9_007_199_254_740_991n,
      9_007_199_254_740_995n,
      [9007199254740991, 9007199254740993n, 9007199254740995n],
    ],
    [
      'beyond it',
      9_223_372_036_854_775_805n,
      9_223_372_036_854_775_807n,
      [9223372036854775805n, 9223372036854775807n],
    ],
  ])('I6: are exact %s', async (_, first, last, numbers) => {
    const { counter, clock } = open({ range: { first, last, step: 2n } })
    for (const number of numbers) {
      expect((await counter.take()).counter).toBe(number)
      await clock.settle()
    }
    await expect(counter.take()).rejects.toMatchObject({ code: 'EXHAUSTED' })
  })

  it('I6: once exhausted, are not asked for again in their period', async () => {
    const { counter, clock, demands, time } = open({ range: { last: 1n }, batchSave: 2 })
    await counter.takeMany(2)
    await clock.settle()
    const asked = demands.length
    for (let i = 0; i < 3; i++) {
      await expect(counter.take()).rejects.toMatchObject({ code: 'EXHAUSTED' })
      await clock.advance(2_000)
    }
    expect(demands).toHaveLength(asked)
    expect(counter.fault?.code).toBe('EXHAUSTED')
    time.pass(86_400)
    expect((await counter.take()).counter).toBe(0)
    expect(counter.fault).toBeUndefined()
  })

  it('are asked for again after the store was away', async () => {
    const store = new MemoryCounters()
    const { counter, clock } = open({ store })
    store.failure = new SequenceError('STORE_UNAVAILABLE', 'away')
    const taken = Promise.resolve(counter.take())
    await clock.settle()
    expect(counter.fault?.code).toBe('STORE_UNAVAILABLE')
    store.failure = undefined
    await clock.advance(25)
    expect((await taken).counter).toBe(0)
  })

  it('are none after it was closed: those that wait get the reason', async () => {
    const { counter, clock } = open({ store: new ScriptedCounters() })
    counter.close()
    const waiting = Promise.resolve(counter.take())
    counter.close(new SequenceError('UNKNOWN_RULE', 'gone'))
    await expect(waiting).rejects.toMatchObject({ code: 'UNKNOWN_RULE' })
    expect(clock.timers).toBe(0)
  })
})

describe('a period', () => {
  it('is that of the reading of the clock with which a number is taken', async () => {
    const { counter, time } = open()
    await counter.take()
    time.pass(43_199)
    expect(counter.take()).toEqual({ counter: 1, seconds: MIDNIGHT - 1 })
    time.pass(1)
    expect(await counter.take()).toEqual({ counter: 0, seconds: MIDNIGHT })
  })

  it('takes those along that wait when it begins', async () => {
    const store = new ScriptedCounters()
    const { counter, time, clock } = open({ store })
    const one = Promise.resolve(counter.take())
    const many = counter.takeMany(2)
    time.pass(43_200)
    const next = Promise.resolve(counter.take())
    await clock.settle()
    expect(store.asks).toHaveLength(2)
    // Of the old one: nobody wants it any more.
    store.asks[0]?.grant({ first: 500n, count: 10 })
    store.asks[1]?.grant({ first: 0n, count: 10 })
    const taken = [(await next).counter, (await one).counter, ...(await many).counters]
    expect(taken.sort()).toEqual([0, 1, 2, 3])
    expect([(await one).seconds, (await many).seconds]).toEqual([MIDNIGHT, MIDNIGHT])
  })

  it('I10: has begun where the store says so, and goes on with the time of the store', async () => {
    const store = new ScriptedCounters()
    const { counter, time, clock } = open({ store })
    const taken = Promise.resolve(counter.take())
    store.asks[0]?.grant({ laterSeconds: MIDNIGHT + 5 })
    await clock.settle()
    store.asks[1]?.grant({ first: 7n, count: 10 })
    expect(await taken).toEqual({ counter: 7, seconds: MIDNIGHT + 5 })
    time.pass(43_200)
    expect(counter.take()).toEqual({ counter: 8, seconds: MIDNIGHT + 5 })
    time.pass(6)
    expect(counter.take()).toEqual({ counter: 9, seconds: MIDNIGHT + 6 })
  })

  it.each([
    [86_400, 'a number'],
    [86_401, 'STORE_MISCONFIGURED 2026-11-22T12:00:01.000Z'],
  ])('is begun %i s ahead of the clock: %s', async (aheadSeconds, outcome) => {
    const store = new ScriptedCounters()
    const { counter, clock } = open({ store })
    const taken = Promise.resolve(counter.take()).then(
      () => 'a number',
      ({ code, message }: SequenceError) => `${code} ${/is from (\S+),/.exec(message)?.[1]}`,
    )
    store.asks[0]?.grant({ laterSeconds: NOON + aheadSeconds })
    await clock.settle()
    store.asks[1]?.grant({ first: 7n, count: 10 })
    expect(await taken).toBe(outcome)
  })

  it('keeps its last second for a reservation that is under way when it ends', async () => {
    const store = new ScriptedCounters()
    const { counter, clock, demands, time } = open({ store })
    const taken = Promise.resolve(counter.take()).catch(() => undefined)
    store.asks[0]?.fail(new SequenceError('STORE_UNAVAILABLE', 'away'))
    time.pass(43_205)
    await clock.advance(25)
    expect(demands.map(({ seconds, untilSeconds }) => [seconds, untilSeconds])).toEqual([
      [NOON, MIDNIGHT],
      [MIDNIGHT - 1, MIDNIGHT],
    ])
    counter.close()
    await taken
  })

  it('is over, and its counter of no worth, when nobody waits for a number of it', async () => {
    const store = new ScriptedCounters()
    const { counter, clock } = open({ store })
    expect(counter.isOver(MIDNIGHT)).toBe(false)
    const taken = Promise.resolve(counter.take())
    expect(counter.isOver(MIDNIGHT)).toBe(false)
    store.asks[0]?.grant({ first: 0n, count: 10 })
    await taken
    await clock.settle()
    expect([MIDNIGHT - 1, MIDNIGHT].map((seconds) => counter.isOver(seconds))).toEqual([false, true])
  })
})
