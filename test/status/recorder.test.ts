import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { Sequence, type SequenceEvent } from '../../src/core/sequence.ts'
import { Sequences } from '../../src/core/sequences.ts'
import type { SegmentStore } from '../../src/core/store.ts'
import { Tally } from '../../src/fronts/tally.ts'
import { Recorder } from '../../src/status/recorder.ts'
import type { InstanceStatus } from '../../src/status/status.ts'
import { ScriptedSource } from '../core/scripted-source.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** An instance whose leases a test grants by hand. All names are known to its store. */
function open() {
  const clock = new VirtualClock()
  const sources = new Map<string | null, ScriptedSource>()
  const told: [kind: string, type: string][] = []
  const wall = { nowMs: 1_000 }
  const recorder = new Recorder({
    uuid: 'the-uuid',
    version: '1.2.3',
    host: 'box-7',
    wallClock: () => wall.nowMs,
    observeLease: (kind, { type }) => told.push([kind, type]),
  })
  const make = (name: string | null): Sequence => {
    const source = new ScriptedSource()
    sources.set(name, source)
    return new Sequence({
      source,
      clock,
      random: () => 1,
      limits: { leaseTargetMs: 2_000, leaseIdsMax: 1_000_000, waitMsMax: 1_000, waitersMax: 3 },
      observe: (event) => recorder.observe(name, event),
    })
  }
  const generator = make(null)
  recorder.showGenerator(generator)
  const sequences = new Sequences({
    segments: { existing: async (names) => new Set(names) } as Partial<SegmentStore> as SegmentStore,
    clock,
    waitMsMax: 1_000,
    sequencesMax: 1_000,
    open: (name) => {
      const sequence = make(name)
      recorder.show(name, sequence)
      return sequence
    },
  })
  const tally = new Tally()
  const figures = () => ({
    issued: tally.issued,
    failures: tally.failures,
    connections: 2,
    connectionsRefused: 0,
    datagrams: null,
  })
  const front = {
    get figures() {
      return figures()
    },
  }
  const status = (): InstanceStatus =>
    recorder.status({
      unreadiness: undefined,
      store: 'a store',
      sequences,
      fronts: [{ name: 'http', address: '127.0.0.1:8000', front }],
      scripts: [],
    })
  const grant = async (name: string | null, start: number, end: number) => {
    sources.get(name)?.last.grant([start, end])
    await clock.settle()
  }
  const fail = async (name: string | null, error: SequenceError) => {
    sources.get(name)?.last.fail(error)
    await clock.settle()
  }
  return { clock, generator, sequences, recorder, tally, wall, told, status, grant, fail }
}

const unavailable = () => new SequenceError('STORE_UNAVAILABLE', 'the store is down')

describe('status of a sequence', () => {
  it('tells of the lease that it serves from, of those ahead and of what it handed out', async () => {
    const { generator, grant, status, wall } = open()
    generator.warm()
    wall.nowMs = 5_000
    await grant(null, 100, 200)
    for (let i = 0; i < 60; i++) generator.take()
    await grant(null, 200, 500)
    expect(status().sequences).toEqual([
      {
        name: null,
        left: 340,
        leftInLease: 40,
        leaseIds: 100,
        ahead: 300,
        issued: 60,
        waiting: 0,
        fault: null,
        next: '160',
        leasedTo: '500',
        idsPerSecond: [],
        leases: [
          { atMs: 5_000, ids: 100, tookMs: 0 },
          { atMs: 5_000, ids: 300, tookMs: 0 },
        ],
      },
    ])
  })

  it('counts the ids that were handed out, and no others: not those left out or thrown away (I4)', async () => {
    const { generator, grant, status } = open()
    const issued = () => status().sequences[0]?.issued
    generator.warm()
    await grant(null, 0, 10)
    generator.takeMany(4)
    const row = generator.takeRow(8)
    await grant(null, 10, 30)
    expect(await row).toBe(10)
    expect(issued(), '6 ids below the row became a gap').toBe(12)
    generator.renew()
    expect(issued(), '12 ids were thrown away').toBe(12)
    await grant(null, 40, 50)
    generator.take()
    expect(issued()).toBe(13)
    generator.close()
    expect(issued()).toBe(13)
  })

  it('keeps the ids of each of the last 60 seconds, the oldest first', async () => {
    const { generator, grant, recorder, status } = open()
    generator.warm()
    await grant(null, 0, 10_000)
    for (let second = 0; second < 65; second++) {
      generator.takeMany(second + 1)
      recorder.sample()
    }
    const perSecond = status().sequences[0]?.idsPerSecond
    expect(perSecond).toHaveLength(60)
    expect([perSecond?.[0], perSecond?.at(-1)]).toEqual([6, 65])
  })

  it('keeps the last 20 leases', async () => {
    const { generator, grant, status } = open()
    for (let n = 1; n <= 25; n++) {
      generator.renew()
      await grant(null, n * 100, n * 100 + n)
    }
    const leases = status().sequences[0]?.leases
    expect(leases).toHaveLength(20)
    expect([leases?.[0]?.ids, leases?.at(-1)?.ids]).toEqual([6, 25])
  })
})

describe('which sequences are shown', () => {
  async function openMany(count: number) {
    const opened = open()
    for (let n = 1; n <= count; n++) {
      const sequence = await opened.sequences.find(`s${n}`)
      sequence.warm()
      await opened.grant(`s${n}`, 0, 1_000)
      sequence.takeMany(n)
    }
    return opened
  }

  it('the generator and the first 100 named ones; the others are one figure (I9)', async () => {
    const { status } = await openMany(103)
    const { sequences, sequencesHeld, others } = status()
    expect(sequences).toHaveLength(101)
    expect(sequences.map(({ name }) => name).slice(0, 3)).toEqual([null, 's1', 's2'])
    expect(sequencesHeld).toBe(103)
    expect(others).toEqual({ left: 3_000 - 306, issued: 101 + 102 + 103, waiting: 0 })
  })

  it('ids of those that left the memory stay counted, so that no counter runs back', async () => {
    const { sequences, status, grant } = await openMany(102)
    sequences.drop('s102')
    expect(status().others.issued, 'one that was not shown').toBe(101 + 102)
    sequences.drop('s7')
    const after = status()
    expect(after.others.issued, 'one that was shown is not among the others').toBe(101 + 102)
    expect(after.sequences).toHaveLength(100)
    const again = await sequences.find('s7')
    again.warm()
    await grant('s7', 5_000, 5_100)
    again.take()
    expect(status().sequences.at(-1)).toMatchObject({ name: 's7', issued: 1 })
    expect(status().others.issued).toBe(101 + 102)
  })
})

describe('faults', () => {
  it('equal ones are one, the newest first, and the store is well again with the next lease', async () => {
    const { generator, sequences, clock, wall, grant, fail, status, told } = open()
    generator.warm()
    const orders = await sequences.find('orders')
    orders.warm()
    wall.nowMs = 2_000
    await fail(null, unavailable())
    wall.nowMs = 3_000
    await fail('orders', unavailable())
    wall.nowMs = 4_000
    await clock.advance(25)
    await fail(null, unavailable())
    expect(status().store).toEqual({ description: 'a store', fault: 'the store is down' })
    const of = { code: 'STORE_UNAVAILABLE', message: 'the store is down' }
    expect(status().faults).toEqual([
      { where: 'generator', firstAtMs: 2_000, atMs: 4_000, times: 2, ...of },
      { where: 'sequence orders', firstAtMs: 3_000, atMs: 3_000, times: 1, ...of },
    ])
    await clock.advance(1_000)
    await grant(null, 0, 10)
    expect(status().store.fault).toBeNull()
    expect(told.at(-1)).toEqual(['generator', 'leased'])
  })

  it('the store is not at fault where one sequence is at its end', async () => {
    const { generator, fail, status } = open()
    generator.warm()
    await fail(null, new SequenceError('EXHAUSTED', 'no more ids'))
    expect(status().store.fault).toBeNull()
    expect(status().sequences[0]?.fault).toBe('no more ids')
  })

  it('at most 50 are kept, whatever happens (I9)', () => {
    const { recorder, status } = open()
    const failed = (message: string): SequenceEvent => ({
      type: 'lease-failed',
      error: new SequenceError('STORE_UNAVAILABLE', message),
      tookMs: 1,
    })
    for (let n = 0; n < 60; n++) recorder.observeCounter('order/shop', failed(`attempt ${n}`))
    expect(status().faults).toHaveLength(50)
    expect(status().faults.map(({ message }) => message)).toContain('attempt 59')
    expect(status().faults.map(({ message }) => message)).not.toContain('attempt 9')
  })

  it('a front tells of what it refused itself; mistakes of clients are counted only', () => {
    const { tally, status } = open()
    tally.count({ error: new SequenceError('TOO_MANY_WAITERS', '10000 wait') })
    tally.count({ error: new SequenceError('TOO_MANY_WAITERS', '10001 wait') })
    tally.count({ error: new SequenceError('UNKNOWN_SEQUENCE', 'there is no sequence "x"') })
    tally.count({ ids: 5 })
    const { fronts, faults } = status()
    expect(fronts).toEqual([
      {
        name: 'http',
        address: '127.0.0.1:8000',
        issued: 5,
        connections: 2,
        connectionsRefused: 0,
        failures: { TOO_MANY_WAITERS: 2, UNKNOWN_SEQUENCE: 1 },
        datagrams: null,
      },
    ])
    expect(faults).toMatchObject([
      { where: 'http front', code: 'TOO_MANY_WAITERS', message: '10001 wait', times: 2 },
    ])
  })

  it('is plain JSON, as it may come from another process', async () => {
    const { generator, grant, status } = open()
    generator.warm()
    await grant(null, 100, 200)
    expect(JSON.parse(JSON.stringify(status()))).toEqual(status())
  })
})
