import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { LOOKUP_NAMES_MAX, LOOKUPS_WAITING_MAX, UNKNOWN_NAMES_MAX } from '../../src/core/limits.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { Sequences } from '../../src/core/sequences.ts'
import type { SegmentStore } from '../../src/core/store.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ScriptedSource } from './scripted-source.ts'

/** Named sequences on a store whose look-ups a test answers by hand. */
function open({ sequencesMax = 100, waitMsMax = 1000, timers = true } = {}) {
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
    // Thousands of deadlines cost the virtual clock more than all the rest.
    clock: timers ? clock : { now: () => clock.now(), after: () => () => {} },
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
  return { clock, lookups, sequences, find, source }
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

  it.each([
    ['128 characters', 'x'.repeat(128)],
    ['128 characters outside the basic plane', '😀'.repeat(128)],
  ])('%s are a name', async (_what, name) => {
    const { lookups, find, clock } = open()
    find(name)
    await clock.settle()
    expect(lookups[0]?.names).toEqual([name])
  })

  it('a bug in the store crashes, and fails no look-up as if it were an outage', () => {
    let fail: (error: unknown) => void = () => {}
    const existing = () => ({
      // biome-ignore lint/suspicious/noThenProperty: it stands for a promise
      then: (_: unknown, onFailed: typeof fail) => {
        fail = onFailed
      },
    })
    const sequences = new Sequences({
      segments: { existing } as unknown as SegmentStore,
      clock: new VirtualClock(),
      waitMsMax: 1000,
      sequencesMax: 1,
      open: () => expect.fail('nothing was found'),
    })
    sequences.find('orders')
    expect(() => fail(new TypeError('bug'))).toThrow(TypeError)
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

  it('a dropped one counts with what it gave; one that is not held does not', async () => {
    const { lookups, sequences, find, clock, source } = open()
    for (const name of ['a', 'b']) find(name)
    await clock.settle()
    await lookups[0]?.answer('a')
    await lookups[1]?.answer('b')
    for (const sequence of sequences.all()) {
      sequence.warm()
      source.last.grant([0, 100])
      await clock.settle()
      sequence.takeMany(3)
    }
    expect([...sequences.all()]).toEqual([sequences.held('a'), sequences.held('b')])
    sequences.drop('a')
    sequences.drop('a')
    sequences.drop('nope')
    expect([sequences.droppedIssued, sequences.size]).toEqual([3, 1])
    sequences.drop('b')
    expect([sequences.droppedIssued, sequences.size]).toEqual([6, 0])
    sequences.close()
  })

  it('one that was moved throws away what it holds', async () => {
    const { lookups, sequences, find, clock, source } = open()
    find('a')
    await lookups[0]?.answer('a')
    const held = sequences.held('a') as Sequence
    held.warm()
    source.last.grant([0, 100])
    await clock.settle()
    sequences.renew('b')
    expect(held.left).toBe(100)
    find('c')
    await clock.settle()
    expect(lookups[1]?.names).toEqual(['c'])
    sequences.renew('a')
    expect([held.left, source.asks.length]).toEqual([0, 2])
  })

  it('I9: of many names, each query has as many as the limit', async () => {
    const { lookups, find, clock } = open()
    for (let i = 0; i < 1 + LOOKUP_NAMES_MAX + 1; i++) find(`n${i}`)
    await clock.settle()
    await lookups[0]?.answer('n0')
    await lookups[1]?.answer()
    expect(lookups.map(({ names }) => names.length)).toEqual([1, LOOKUP_NAMES_MAX, 1])
    expect(lookups[2]?.names).toEqual([`n${1 + LOOKUP_NAMES_MAX}`])
  })

  it('I9: refuses more names that wait than the limit', async () => {
    const { find, clock, sequences } = open({ timers: false })
    const waiting = Array.from({ length: 1 + LOOKUPS_WAITING_MAX }, (_, i) => find(`n${i}`))
    const refused = find('one more')
    const known = find('n7')
    await clock.settle()
    expect(new Set(waiting.map(({ outcome }) => outcome))).toEqual(new Set(['waiting']))
    expect([refused.outcome, known.outcome]).toEqual(['TOO_MANY_WAITERS', 'waiting'])
    sequences.close()
  })

  it('I9: unknown names do not pile up in memory, and none becomes a sequence', async () => {
    const { lookups, find, clock, sequences } = open({ timers: false })
    for (let i = 0; i < UNKNOWN_NAMES_MAX; i++) find(`n${i}`)
    await clock.settle()
    while (lookups.length > 0) await lookups.shift()?.answer()
    const all = [find('n0'), find('n1')]
    await clock.settle()
    expect(all.map(({ outcome }) => outcome)).toEqual(['UNKNOWN_SEQUENCE', 'UNKNOWN_SEQUENCE'])
    find('one more')
    await clock.settle()
    await lookups.shift()?.answer()
    expect(sequences.size).toBe(0)
    // What was known longest was forgotten for the last one.
    const [oldest, next, youngest] = [find('n0'), find('n1'), find('one more')]
    await clock.settle()
    expect([oldest, next, youngest].map(({ outcome }) => outcome)).toEqual([
      'waiting',
      'UNKNOWN_SEQUENCE',
      'UNKNOWN_SEQUENCE',
    ])
  })

  it('a name that is found leaves nothing behind, and one that is unknown again is so for a second more', async () => {
    const { lookups, find, clock } = open()
    find('a')
    await lookups.shift()?.answer()
    await clock.advance(1_000)
    find('a')
    await clock.settle()
    await lookups.shift()?.answer()
    await clock.advance(999)
    const again = find('a')
    await clock.settle()
    expect([again.outcome, lookups.length]).toEqual(['UNKNOWN_SEQUENCE', 0])
    await clock.advance(1)
    find('a')
    await clock.settle()
    expect(lookups).toHaveLength(1)
  })

  it('an outage fails the names that wait behind the query as well, and is over with the first answer', async () => {
    const { lookups, find, clock } = open()
    const names = [find('a'), find('b'), find('c')]
    await clock.settle()
    await lookups[0]?.fail()
    expect(names.map(({ outcome }) => outcome)).toEqual(Array(3).fill('STORE_UNAVAILABLE'))
    expect([lookups.length, clock.timers]).toEqual([1, 0])
    await clock.advance(399)
    const early = find('a')
    await clock.advance(1)
    const late = find('a')
    await clock.settle()
    expect([early.outcome, lookups[1]?.names]).toEqual(['STORE_UNAVAILABLE', ['a']])
    await lookups[1]?.answer('a')
    find('b')
    await clock.settle()
    expect([late.outcome, lookups[2]?.names]).toEqual(['found', ['b']])
  })

  it('closing fails every look-up and every sequence, and leaves no timer', async () => {
    const { lookups, sequences, find, clock } = open()
    find('held')
    await lookups[0]?.answer('held')
    const held = sequences.held('held') as Sequence
    const names = [find('in flight'), find('waiting')]
    await clock.settle()
    sequences.close()
    await clock.settle()
    expect(names.map(({ outcome }) => outcome)).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN'])
    await expect(held.take()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await lookups[1]?.answer('in flight')
    const late = find('late')
    await clock.settle()
    expect([late.outcome, sequences.held('in flight'), lookups.length, clock.timers]).toEqual([
      'SHUTTING_DOWN',
      undefined,
      2,
      0,
    ])
  })
})
