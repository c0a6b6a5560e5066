import { describe, expect, it } from 'vitest'
import { type ErrorCode, SequenceError } from '../../src/core/errors.ts'
import type { Id } from '../../src/core/id.ts'
import { Sequence, type SequenceEvent, type SequenceLimits } from '../../src/core/sequence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ScriptedSource } from './scripted-source.ts'

const LIMITS: SequenceLimits = { leaseTargetMs: 2000, leaseIdsMax: 1_000_000, waitMsMax: 1000, waitersMax: 3 }

function open(limits: Partial<SequenceLimits> = {}) {
  const clock = new VirtualClock()
  const source = new ScriptedSource()
  const events: SequenceEvent[] = []
  const sequence = new Sequence({
    source,
    clock,
    random: () => 1,
    limits: { ...LIMITS, ...limits },
    observe: (event) => events.push(event),
  })
  return { clock, source, sequence, events }
}

/** Opens a sequence that holds the given lease already. */
async function openWith(start: number | bigint, end: number | bigint, limits?: Partial<SequenceLimits>) {
  const opened = open(limits)
  opened.sequence.warm()
  opened.source.last.grant([start, end])
  await opened.clock.settle()
  return opened
}

/** What became of a promise so far: its value, its error's code, or 'waiting'. */
function track<T>(taken: T | Promise<T>): { outcome: T | ErrorCode | 'waiting' } {
  const tracked: { outcome: T | ErrorCode | 'waiting' } = { outcome: 'waiting' }
  Promise.resolve(taken).then(
    (value) => {
      tracked.outcome = value
    },
    (error: SequenceError) => {
      tracked.outcome = error.code
    },
  )
  return tracked
}

const unavailable = () => new SequenceError('STORE_UNAVAILABLE', 'the store is down')

describe('sequence: taking ids', () => {
  it('I5: serves a lease in order, synchronously, to its last id, then the next lease', async () => {
    const { sequence, source, clock } = await openWith(100, 104)
    expect([sequence.take(), sequence.take()]).toEqual([100, 101])
    source.last.grant([104, 112])
    await clock.settle()
    expect([sequence.take(), sequence.take(), sequence.take()]).toEqual([102, 103, 104])
  })

  it('I8: fetches ahead, once, when half of the last grant is used', async () => {
    const { sequence, source } = await openWith(100, 200)
    for (let i = 0; i < 49; i++) sequence.take()
    expect(source.asks).toHaveLength(1)
    sequence.take()
    for (let i = 0; i < 50; i++) sequence.take()
    expect(source.asks).toHaveLength(2)
    expect(source.last.ids).toBe(200)
  })

  it('I8: callers that find it empty wait in order, with one lease request among them', async () => {
    const { sequence, source, clock } = open()
    const first = track(sequence.take())
    const second = track(sequence.take())
    await clock.settle()
    expect(source.asks).toHaveLength(1)
    source.last.grant([7, 9])
    await clock.settle()
    expect([first.outcome, second.outcome]).toEqual([7, 8])
  })

  it('takeMany spans leases, all or nothing', async () => {
    const { sequence, source, clock } = await openWith(0, 4)
    const many = track(sequence.takeMany(6))
    await clock.settle()
    expect(many.outcome).toBe('waiting')
    source.last.grant([10, 14])
    await clock.settle()
    expect(many.outcome).toEqual([0, 1, 2, 3, 10, 11])
    expect(sequence.left).toBe(2)
  })

  it('takeMany asks on until small grants add up', async () => {
    const { sequence, source, clock } = open()
    const many = track(sequence.takeMany(3))
    for (let n = 1; n <= 3; n++) {
      source.last.grant([n, n + 1])
      await clock.settle()
    }
    expect(many.outcome).toEqual([1, 2, 3])
  })

  it('I8: a single id is not held up by a larger request that still waits', async () => {
    const { sequence, source, clock } = await openWith(0, 4)
    const many = track(sequence.takeMany(10))
    expect(sequence.take()).toBe(0)
    source.last.grant([4, 20])
    await clock.settle()
    expect(many.outcome).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('a request that fails uses up no id', async () => {
    const { sequence, clock } = await openWith(0, 4)
    const many = track(sequence.takeMany(10))
    await clock.advance(1000)
    expect(many.outcome).toBe('WAIT_TIMEOUT')
    expect(sequence.take()).toBe(0)
  })
})

describe('sequence: limits', () => {
  it('I8: waiting ends at the deadline, for each request its own', async () => {
    const { sequence, clock } = open()
    const first = track(sequence.take())
    await clock.advance(400)
    const second = track(sequence.take())
    await clock.advance(600)
    expect([first.outcome, second.outcome]).toEqual(['WAIT_TIMEOUT', 'waiting'])
    await clock.advance(400)
    expect(second.outcome).toBe('WAIT_TIMEOUT')
    expect([sequence.waiting, clock.timers]).toEqual([0, 0])
  })

  it('I9: refuses more waiters than the limit', async () => {
    const { sequence, clock } = open()
    const taken = [1, 2, 3, 4].map(() => track(sequence.take()))
    await clock.settle()
    expect(taken.map((one) => one.outcome)).toEqual(['waiting', 'waiting', 'waiting', 'TOO_MANY_WAITERS'])
  })

  it('asks for as many ids as requests wait for', async () => {
    const { sequence, source, clock } = open()
    track(sequence.takeMany(3))
    track(sequence.takeMany(700))
    source.last.grant([0, 1])
    await clock.settle()
    expect(source.last.ids).toBe(703)
  })
})

describe('sequence: a store that fails', () => {
  it('serves what it holds, then waits out a short outage', async () => {
    const { sequence, source, clock } = await openWith(0, 2)
    expect(sequence.take()).toBe(0)
    source.last.fail(unavailable())
    await clock.settle()
    expect(sequence.take()).toBe(1)
    const waiting = track(sequence.take())
    await clock.advance(25)
    source.last.grant([50, 51])
    await clock.settle()
    expect([waiting.outcome, sequence.fault]).toEqual([50, undefined])
  })

  it('fails requests at once when the outage has lasted longer than a request may wait', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    for (let i = 0; i < 8; i++) {
      source.last.fail(unavailable())
      await clock.advance(400)
    }
    const refused = track(sequence.take())
    await clock.settle()
    expect(refused.outcome).toBe('STORE_UNAVAILABLE')
  })

  it('asks again at growing intervals of at most 400 ms, for ever', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      const asked = source.asks.length
      source.last.fail(unavailable())
      const from = clock.now()
      while (source.asks.length === asked) await clock.advance(1)
      pauses.push(clock.now() - from)
    }
    expect(pauses).toEqual([25, 50, 100, 200, 400, 400, 400, 400])
  })

  it('EXHAUSTED: serves the last ids, then refuses at once', async () => {
    const { sequence, source, clock } = await openWith(9223372036854775806n, 9223372036854775808n)
    expect(String(sequence.take())).toBe('9223372036854775806')
    source.last.fail(new SequenceError('EXHAUSTED', 'no ids left'))
    await clock.settle()
    expect(String(sequence.take())).toBe('9223372036854775807')
    const refused = track(sequence.take())
    await clock.settle()
    expect(refused.outcome).toBe('EXHAUSTED')
  })

  it('tells of each grant and each failure', async () => {
    const { source, clock, events } = await openWith(100, 200)
    expect(events).toEqual([{ type: 'leased', leases: [{ start: 100n, end: 200n }], ids: 100, tookMs: 0 }])
    expect(source.asks).toHaveLength(1)
    expect(clock.timers).toBe(0)
  })
})

describe('sequence: I3, a store that went backwards', () => {
  it('tells the store what it has seen', async () => {
    const { sequence, source, clock } = await openWith(100, 200)
    expect(source.last.seenEnd).toBe(0n)
    for (let i = 0; i < 50; i++) sequence.take()
    expect(source.last.seenEnd).toBe(200n)
    source.last.grant([300, 400], [500, 600])
    await clock.settle()
    for (let i = 0; i < 200; i++) sequence.take()
    expect(source.last.seenEnd).toBe(600n)
  })

  it('stops when the store refuses, throws held ids away, and goes on when it grants again', async () => {
    const { sequence, source, clock } = await openWith(100, 200)
    for (let i = 0; i < 50; i++) sequence.take()
    source.last.fail(new SequenceError('REGRESSED', 'the store went backwards', { floor: 500n }))
    await clock.settle()
    const refused = track(sequence.take())
    await clock.settle()
    expect([refused.outcome, sequence.left, sequence.fault?.code]).toEqual(['REGRESSED', 0, 'REGRESSED'])
    await clock.advance(1000)
    source.last.fail(new SequenceError('REGRESSED', 'the store went backwards', { floor: 500n }))
    await clock.advance(1000)
    expect(source.asks).toHaveLength(4)
    source.last.grant([700, 800])
    await clock.settle()
    expect([sequence.take(), sequence.fault]).toEqual([700, undefined])
  })
})

describe('sequence: rows of consecutive ids', () => {
  it('takes them from one lease; ids left below become a gap (I5)', async () => {
    const { sequence, source, clock } = await openWith(0, 10)
    for (let i = 0; i < 7; i++) sequence.take()
    source.last.grant([50, 60])
    await clock.settle()
    expect(sequence.takeRow(5)).toBe(50)
    expect([sequence.take(), sequence.left]).toEqual([55, 4])
  })

  it('takes the rest of a lease to its last id', async () => {
    const { sequence, source, clock } = await openWith(0, 10)
    expect(sequence.takeRow(10)).toBe(0)
    source.last.grant([10, 30])
    await clock.settle()
    expect(sequence.take()).toBe(10)
  })

  it('waits for a lease that is long enough', async () => {
    const { sequence, source, clock } = await openWith(0, 4)
    const row = track(sequence.takeRow(6))
    source.last.grant([20, 24])
    await clock.settle()
    expect([row.outcome, source.last.ids]).toEqual(['waiting', 8])
    source.last.grant([30, 40])
    await clock.settle()
    expect([row.outcome, sequence.take()]).toEqual([30, 36])
  })

  it('I6: crosses no border between numbers and bigints, and is exact on both sides', async () => {
    const { sequence } = await openWith(9007199254740990n, 9007199254741000n)
    expect(sequence.takeRow(3)).toBe(9007199254740992n)
    expect(sequence.take()).toBe(9007199254740995n)
  })

  it('refuses more than a grant may hold', async () => {
    const { sequence, clock } = await openWith(0, 4, { leaseIdsMax: 100 })
    const refused = track(sequence.takeRow(101))
    await clock.settle()
    expect(refused.outcome).toBe('BAD_REQUEST')
  })
})

describe('sequence: renewal, after somebody moved it in the store', () => {
  it('throws held ids away and asks at once', async () => {
    const { sequence, source, clock } = await openWith(0, 100)
    sequence.renew()
    const next = track(sequence.take())
    source.last.grant([500, 600])
    await clock.settle()
    expect([source.asks.length, next.outcome]).toEqual([2, 500])
  })

  it('throws a grant away that was in flight', async () => {
    const { sequence, source, clock } = open()
    const next = track(sequence.take())
    sequence.renew()
    source.last.grant([0, 100])
    await clock.settle()
    expect([source.asks.length, next.outcome]).toEqual([2, 'waiting'])
    source.last.grant([500, 600])
    await clock.settle()
    expect(next.outcome).toBe(500)
  })

  it('does not wait for the pause after a failure', async () => {
    const { sequence, source, clock } = await openWith(100, 200)
    for (let i = 0; i < 50; i++) sequence.take()
    source.last.fail(new SequenceError('REGRESSED', 'the store went backwards', { floor: 500n }))
    await clock.settle()
    sequence.renew()
    await clock.settle()
    source.last.grant([500, 600])
    await clock.settle()
    expect([sequence.take(), clock.timers]).toEqual([500, 0])
  })
})

describe('sequence: closing', () => {
  it('fails waiting requests, ignores a late grant and leaves no timer', async () => {
    const { sequence, source, clock } = open()
    const waiting = track<Id>(sequence.take())
    sequence.close()
    source.last.grant([0, 100])
    await clock.settle()
    const late = track<Id>(sequence.take())
    await clock.settle()
    expect([waiting.outcome, late.outcome, clock.timers]).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN', 0])
  })
})
