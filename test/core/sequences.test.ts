import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { Sequences } from '../../src/core/sequences.ts'
import type { SegmentStore } from '../../src/core/store.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ScriptedSource } from './scripted-source.ts'

/** Named sequences on a store whose look-ups a test answers by hand. */
function open({ sequencesMax = 100, waitMsMax = 1000 } = {}) {
  const clock = new VirtualClock()
  const lookups: {
    names: readonly string[]
    answer: (...names: string[]) => Promise<void>
    fail: () => Promise<void>
  }[] = []
  const existing: SegmentStore['existing'] = (names) =>
    new Promise((resolve, reject) => {
      lookups.push({
        names,
        answer: (...found) => {
          resolve(new Set(found))
          return clock.settle()
        },
        fail: () => {
          reject(new SequenceError('STORE_UNAVAILABLE', 'the store is down'))
          return clock.settle()
        },
      })
    })
  const source = new ScriptedSource()
  const sequences = new Sequences({
    segments: { existing } as SegmentStore,
    clock,
    waitMsMax,
    sequencesMax,
    open: () =>
      new Sequence({
        source,
        clock,
        random: () => 1,
        limits: { leaseTargetMs: 2000, leaseIdsMax: 1000, waitMsMax, waitersMax: 10 },
        observe: () => {},
      }),
  })
  /** The outcome of `find`: 'found', an error's code, or 'waiting'. */
  const find = (name: string) => {
    const tracked = { outcome: 'waiting' }
    sequences.find(name).then(
      () => {
        tracked.outcome = 'found'
      },
      (error: SequenceError) => {
        tracked.outcome = error.code
      },
    )
    return tracked
  }
  return { clock, lookups, sequences, find }
}

describe('named sequences', () => {
  it('load on first use, once, and stay in memory', async () => {
    const { lookups, sequences, find } = open()
    const [first, second] = [find('orders'), find('orders')]
    await lookups[0]?.answer('orders')
    expect([first.outcome, second.outcome, lookups.length]).toEqual(['found', 'found', 1])
    expect(sequences.held('orders')).toBe(await sequences.find('orders'))
    expect(sequences.size).toBe(1)
  })

  it('I9: names that come while a query is out share the next one', async () => {
    const { lookups, find, clock } = open()
    for (const name of ['a', 'b', 'c']) find(name)
    await clock.settle()
    await lookups[0]?.answer('a')
    expect(lookups.map(({ names }) => names)).toEqual([['a'], ['b', 'c']])
  })

  it('I9: an unknown name costs one query a second, and is found soon after it was made', async () => {
    const { lookups, find, clock } = open()
    const first = find('nope')
    await lookups[0]?.answer()
    expect(first.outcome).toBe('UNKNOWN_SEQUENCE')
    const again = find('nope')
    await clock.advance(999)
    expect([again.outcome, lookups.length]).toEqual(['UNKNOWN_SEQUENCE', 1])
    await clock.advance(1)
    const later = find('nope')
    await clock.settle()
    await lookups[1]?.answer('nope')
    expect(later.outcome).toBe('found')
  })

  it('is found at once when this instance made it', async () => {
    const { lookups, find, clock, sequences } = open()
    find('new')
    await lookups[0]?.answer()
    sequences.renew('new')
    const found = find('new')
    await clock.settle()
    await lookups[1]?.answer('new')
    expect(found.outcome).toBe('found')
  })

  it('is found when it was made while the query that looks it up was out', async () => {
    const { lookups, find, sequences } = open()
    const found = find('new')
    await Promise.resolve()
    sequences.renew('new')
    await lookups[0]?.answer()
    expect(lookups.map(({ names }) => names)).toEqual([['new'], ['new']])
    await lookups[1]?.answer('new')
    expect(found.outcome).toBe('found')
  })

  it('I9: unknown names do not pile up in memory, and none becomes a sequence', async () => {
    const { lookups, find, clock, sequences } = open()
    for (let i = 0; i < 30_000; i++) {
      find(`unknown ${i}`)
      if (i % 400 === 399) for (const lookup of lookups.splice(0)) await lookup.answer()
    }
    await clock.settle()
    expect(sequences.size).toBe(0)
  })

  it('I9: refuses more sequences in memory than the limit', async () => {
    const { lookups, find, clock } = open({ sequencesMax: 1 })
    find('a')
    await lookups[0]?.answer('a')
    const second = find('b')
    await clock.settle()
    expect(second.outcome).toBe('TOO_MANY_SEQUENCES')
  })

  it('while the store is out, fails at once and asks it no more than every 400 ms', async () => {
    const { lookups, find, clock } = open()
    const first = find('a')
    await lookups[0]?.fail()
    const second = find('b')
    await clock.settle()
    expect([first.outcome, second.outcome, lookups.length]).toEqual([
      'STORE_UNAVAILABLE',
      'STORE_UNAVAILABLE',
      1,
    ])
    await clock.advance(400)
    const third = find('b')
    await clock.settle()
    await lookups[1]?.answer('b')
    expect(third.outcome).toBe('found')
  })

  it('I8: a look-up that takes too long fails its requests, and is of use when it comes', async () => {
    const { lookups, find, clock, sequences } = open()
    const late = find('orders')
    await clock.advance(1000)
    expect(late.outcome).toBe('WAIT_TIMEOUT')
    await lookups[0]?.answer('orders')
    expect(sequences.held('orders')).toBeDefined()
    expect(clock.timers).toBe(0)
  })

  it.each([
    ['an empty one', ''],
    ['129 characters', 'x'.repeat(129)],
    ['129 characters outside the basic plane', '😀'.repeat(129)],
    ['a line feed', 'a\nb'],
    ['a null character', 'a\u0000'],
    ['a C1 control character', 'a\u0085'],
    ['half of a character', 'a\ud800'],
  ])('%s is not a name, and never reaches the store', async (_what, name) => {
    const { lookups, find, clock } = open()
    const refused = find(name)
    await clock.settle()
    expect([refused.outcome, lookups.length]).toEqual(['BAD_REQUEST', 0])
  })

  it('a dropped one is closed, and is looked up again', async () => {
    const { lookups, sequences, find, clock } = open()
    find('orders')
    await lookups[0]?.answer('orders')
    const held = sequences.held('orders') as Sequence
    sequences.drop('orders')
    await expect(held.take()).rejects.toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
    find('orders')
    await clock.settle()
    expect(lookups).toHaveLength(2)
  })
})
