import { describe, expect, it } from 'vitest'
import { type ErrorCode, SequenceError } from '../../src/core/errors.ts'
import type { Id } from '../../src/core/id.ts'
import type { Lease } from '../../src/core/lease.ts'
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

  it('I1: serves nothing that it held, and asks for nothing more', async () => {
    const { sequence, source, clock, events } = await openWith(0, 100)
    for (let i = 0; i < 50; i++) sequence.take()
    sequence.close()
    expect([sequence.left, sequence.fault?.code]).toEqual([0, 'SHUTTING_DOWN'])
    source.last.fail(unavailable())
    sequence.renew()
    sequence.warm()
    await clock.advance(10_000)
    expect([source.asks.length, clock.timers, events.length]).toEqual([2, 0, 1])
    expect(sequence.fault?.code).toBe('SHUTTING_DOWN')
  })

  it('gives its reason, and leaves no timer, after a failure', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    source.last.fail(unavailable())
    await clock.settle()
    sequence.close(new SequenceError('UNKNOWN_SEQUENCE', 'gone'))
    const late = track<Id>(sequence.take())
    await clock.advance(10_000)
    expect([late.outcome, source.asks.length, clock.timers]).toEqual(['UNKNOWN_SEQUENCE', 1, 0])
  })

  it('by who observes a failure leaves no timer, and asks no more', async () => {
    const clock = new VirtualClock()
    const source = new ScriptedSource()
    const sequence: Sequence = new Sequence({
      source,
      clock,
      random: () => 1,
      limits: LIMITS,
      observe: () => sequence.close(new SequenceError('UNKNOWN_SEQUENCE', 'gone')),
    })
    const waiting = track(sequence.take())
    source.last.fail(unavailable())
    await clock.advance(10_000)
    expect([waiting.outcome, source.asks.length, clock.timers]).toEqual(['UNKNOWN_SEQUENCE', 1, 0])
  })
})

describe('sequence: what it tells of itself', () => {
  it('is empty before the first lease', () => {
    const { sequence, source } = open()
    const { left, next, issued, leaseIds, leftInLease, waiting, leasedTo, everLeased, fault } = sequence
    expect({ left, next, issued, leaseIds, leftInLease, waiting, leasedTo, everLeased, fault }).toEqual({
      left: 0,
      next: undefined,
      issued: 0,
      leaseIds: 0,
      leftInLease: 0,
      waiting: 0,
      leasedTo: undefined,
      everLeased: false,
      fault: undefined,
    })
    expect(source.asks).toHaveLength(0)
  })

  it('is of the lease that it serves from, and of those fetched ahead', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    source.last.grant([100, 110], [200, 205])
    await clock.settle()
    sequence.takeMany(2)
    const { left, next, issued, leaseIds, leftInLease, leasedTo, everLeased } = sequence
    expect({ left, next, issued, leaseIds, leftInLease, leasedTo, everLeased }).toEqual({
      left: 13,
      next: 102,
      issued: 2,
      leaseIds: 10,
      leftInLease: 8,
      leasedTo: 205n,
      everLeased: true,
    })
  })

  it('counts the requests that wait, and tells how long the store took for what', async () => {
    const { sequence, source, clock, events } = open()
    await clock.advance(5_000)
    track(sequence.take())
    expect(sequence.waiting).toBe(1)
    await clock.advance(70)
    source.last.fail(unavailable())
    await clock.settle()
    expect(events).toEqual([
      { type: 'lease-failed', error: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }), tookMs: 70 },
    ])
    await clock.advance(25 + 30)
    source.last.grant([1, 5], [7, 9])
    await clock.settle()
    expect(events[1]).toEqual({
      type: 'leased',
      leases: [
        { start: 1n, end: 5n },
        { start: 7n, end: 9n },
      ],
      ids: 6,
      tookMs: 30,
    })
    expect(sequence.waiting).toBe(0)
  })
})

describe('sequence: fetching', () => {
  it('a first lease ahead of all requests, and none while it holds ids', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    sequence.warm()
    source.last.grant([0, 100])
    await clock.settle()
    sequence.warm()
    expect(source.asks).toHaveLength(1)
  })

  it.each<[string, (sequence: Sequence, count: number) => unknown]>([
    ['takeMany', (sequence, count) => sequence.takeMany(count)],
    ['takeRow', (sequence, count) => sequence.takeRow(count)],
  ])('I8: ahead after %s, at half of the last grant', async (_, take) => {
    const { sequence, source } = await openWith(0, 100)
    take(sequence, 49)
    expect(source.asks).toHaveLength(1)
    take(sequence, 1)
    expect(source.asks).toHaveLength(2)
  })

  it('I8: takes what it holds without waiting, to the last id', async () => {
    const { sequence } = await openWith(0, 10)
    expect([sequence.takeMany(4), sequence.takeRow(2), sequence.takeMany(4)]).toEqual([
      [0, 1, 2, 3],
      4,
      [6, 7, 8, 9],
    ])
  })

  it('is asked on while what came is at the low-water mark already', async () => {
    const { sequence, source, clock } = open()
    track(sequence.takeMany(6))
    source.last.grant([0, 12])
    await clock.settle()
    expect([sequence.left, source.asks.length]).toEqual([6, 2])
    source.last.grant([12, 24])
    await clock.settle()
    expect([sequence.left, source.asks.length]).toEqual([18, 2])
  })

  it('takes a row of as many ids as a grant may hold', async () => {
    const { sequence } = await openWith(0, 100, { leaseIdsMax: 100 })
    expect(sequence.takeRow(100)).toBe(0)
  })

  it('ready: resolves when it holds ids, and takes none', async () => {
    const { sequence, source, clock } = open()
    const ready = track(sequence.ready().then(() => 'ready'))
    await clock.settle()
    expect([ready.outcome, source.asks.length]).toEqual(['waiting', 1])
    source.last.grant([0, 10])
    await clock.settle()
    expect([ready.outcome, sequence.left, sequence.issued]).toEqual(['ready', 10, 0])
    await sequence.ready()
    expect([sequence.left, sequence.waiting, source.asks.length]).toEqual([10, 0, 1])
  })

  it('ready: rejects as take does', async () => {
    const { sequence, clock } = open()
    const ready = track(sequence.ready())
    await clock.advance(1_000)
    expect(ready.outcome).toBe('WAIT_TIMEOUT')
  })
})

describe('sequence: an outage', () => {
  it('fails those that wait once it lasted as long as a request may wait, and not before', async () => {
    const { sequence, source, clock } = await openWith(0, 1)
    await clock.advance(5_000)
    expect(sequence.take()).toBe(0)
    source.last.fail(unavailable())
    await clock.settle()
    const outage = clock.now()
    await clock.advance(999)
    const waiting = track(sequence.take())
    await clock.settle()
    expect([waiting.outcome, clock.now() - outage]).toEqual(['waiting', 999])
    await clock.advance(1)
    const refused = track(sequence.take())
    await clock.settle()
    expect([refused.outcome, waiting.outcome]).toEqual(['STORE_UNAVAILABLE', 'waiting'])
    source.last.fail(unavailable())
    await clock.settle()
    expect(waiting.outcome).toBe('STORE_UNAVAILABLE')
  })

  it('is a new one after a grant, with pauses from the shortest on', async () => {
    const { sequence, source, clock } = open()
    sequence.warm()
    for (let i = 0; i < 8; i++) {
      source.last.fail(unavailable())
      await clock.advance(400)
    }
    source.last.grant([0, 1])
    await clock.settle()
    const asks = source.asks.length
    source.last.fail(unavailable())
    await clock.advance(24)
    expect(source.asks).toHaveLength(asks)
    sequence.take()
    const waiting = track(sequence.take())
    await clock.advance(1)
    expect([source.asks.length, waiting.outcome]).toEqual([asks + 1, 'waiting'])
  })

  it('is spread over a fleet: each pause lasts half of its length at least', async () => {
    const clock = new VirtualClock()
    const source = new ScriptedSource()
    const sequence = new Sequence({ source, clock, random: () => 0.5, limits: LIMITS, observe: () => {} })
    sequence.warm()
    source.last.fail(unavailable())
    await clock.advance(18)
    expect(source.asks).toHaveLength(1)
    await clock.advance(1)
    expect(source.asks).toHaveLength(2)
  })

  it.each(['EXHAUSTED', 'STEP_MISMATCH', 'STORE_MISCONFIGURED'] as const)(
    '%s fails those that wait at once, serves what is held, and is looked at again each second',
    async (code) => {
      const { sequence, source, clock } = await openWith(0, 2)
      expect(sequence.take()).toBe(0)
      const waiting = track(sequence.takeMany(2))
      source.last.fail(new SequenceError(code, 'no'))
      await clock.settle()
      expect([waiting.outcome, sequence.take()]).toEqual([code, 1])
      await clock.advance(999)
      expect(source.asks).toHaveLength(2)
      await clock.advance(1)
      expect(source.asks).toHaveLength(3)
    },
  )

  it('a failure that comes after a renewal is of the past: it is asked anew', async () => {
    const { sequence, source, clock, events } = open()
    const next = track(sequence.take())
    sequence.renew()
    source.last.fail(new SequenceError('UNKNOWN_SEQUENCE', 'gone'))
    await clock.settle()
    expect([source.asks.length, next.outcome, sequence.fault, events]).toEqual([2, 'waiting', undefined, []])
    source.last.grant([0, 10])
    await clock.settle()
    expect([next.outcome, sequence.left]).toEqual([0, 9])
  })
})

describe('sequence: a mistake in the code of a store crashes, and nothing of it is served', () => {
  /** A sequence whose store answers within the call, so that what that throws can be seen. */
  function openBare() {
    let granted: (leases: readonly Lease[]) => void = () => {}
    let failed: (error: unknown) => void = () => {}
    const source = {
      lease: () => ({
        // biome-ignore lint/suspicious/noThenProperty: it stands for a promise
        then: (onGranted: typeof granted, onFailed: typeof failed) => {
          granted = onGranted
          failed = onFailed
        },
      }),
    } as unknown as ScriptedSource
    const clock = new VirtualClock()
    const sequence = new Sequence({ source, clock, random: () => 1, limits: LIMITS, observe: () => {} })
    sequence.warm()
    return {
      sequence,
      grant: (start: bigint, end: bigint) => granted([{ start, end }]),
      fail: (error: unknown) => failed(error),
    }
  }

  it.each([
    ['I3: starts below what was seen', 99n, 200n],
    ['is empty', 100n, 100n],
    ['I6: ends past the id space', 100n, 9223372036854775809n],
  ])('a lease that %s', (_, start, end) => {
    const { sequence, grant } = openBare()
    grant(0n, 100n)
    for (let i = 0; i < 50; i++) sequence.take()
    expect(() => grant(start, end)).toThrow(RangeError)
    expect(sequence.left).toBe(50)
  })

  it('is none where a lease goes on where the last one ended, to the end of the id space', () => {
    const { sequence, grant } = openBare()
    grant(0n, 100n)
    for (let i = 0; i < 50; i++) sequence.take()
    grant(100n, 9223372036854775808n)
    expect(sequence.leasedTo).toBe(9223372036854775808n)
  })

  it('a rejection that is no operating error', () => {
    const { fail } = openBare()
    expect(() => fail(new TypeError('bug'))).toThrow(TypeError)
  })
})
