import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { Lease } from '../../src/core/lease.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { LIMITS, open, openWith, track, unavailable } from './open-sequence.ts'
import { ScriptedSource } from './scripted-source.ts'

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
