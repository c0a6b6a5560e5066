import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { Id } from '../../src/core/id.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { LIMITS, open, openWith, track, unavailable } from './open-sequence.ts'
import { ScriptedSource } from './scripted-source.ts'

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
