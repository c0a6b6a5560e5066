import { describe, expect, it } from 'vitest'
import { Administration } from '../../src/core/administration.ts'
import { SequenceError } from '../../src/core/errors.ts'
import type { LeaseRecord, ProvenanceStore, SegmentStore, Store } from '../../src/core/store.ts'

const ID_MAX = 9_223_372_036_854_775_807n
const RECORD: LeaseRecord = { sequence: 'orders', start: 1n, end: 9n, instance: 'i', timeMs: 0 }

/** Who an administrator's changes reach, and in which order. `failing` names rejected by the store, with their code. */
function open({
  names = [] as readonly string[],
  failing = {} as Readonly<Record<string, SequenceError>>,
  instance = true,
  recorded = true,
} = {}) {
  const calls: string[] = []
  const called = async <T>(call: string, result: T): Promise<T> => {
    calls.push(call)
    return result
  }
  const segments: Partial<SegmentStore> = {
    list: async (after, limit) =>
      names
        .filter((name) => name > after)
        .slice(0, limit)
        .map((name) => ({ name, maxId: 1n, step: 1n })),
    existing: async (asked) => new Set(asked.filter((name) => names.includes(name))),
    create: (name, start, step) => called(`create ${name} ${start} ${step}`, undefined),
    advanceTo: (name, start) => called(`advanceTo ${name} ${start}`, 500n),
    advanceBy: async (name, ids) => {
      const error = failing[name]
      if (error !== undefined) throw error
      return called(`advanceBy ${name} ${ids}`, 600n)
    },
    retire: (name) => called(`retire ${name}`, undefined),
  }
  const provenance: Partial<ProvenanceStore> = {
    find: (name, id) => called(`find ${JSON.stringify(name)} ${id}`, RECORD),
  }
  const store = {
    generator: { advanceBy: (ids: bigint) => called(`generator ${ids}`, undefined) },
    segments,
    provenance: recorded ? provenance : undefined,
  } as unknown as Store
  const held = {
    generator: { renew: () => void calls.push('renew generator') },
    sequences: {
      renew: (name: string) => void calls.push(`renew ${name}`),
      drop: (name: string) => void calls.push(`drop ${name}`),
    },
  } as unknown as ConstructorParameters<typeof Administration>[1]
  const administration = instance ? new Administration(store, held) : new Administration(store)
  return { administration, calls }
}

describe('a change by an administrator', () => {
  it('is made in the store first, and then told to the instance', async () => {
    const { administration, calls } = open()
    await administration.create('orders')
    await administration.create('big', 0n, 1_000_000_000)
    expect(await administration.advanceTo('orders', 500n)).toBe(500n)
    expect(await administration.advanceBy('orders', 7n)).toBe(600n)
    await administration.retire('orders')
    expect(calls).toEqual([
      ...['create orders 1 1000', 'renew orders'],
      ...['create big 0 1000000000', 'renew big'],
      ...['advanceTo orders 500', 'renew orders'],
      ...['advanceBy orders 7', 'renew orders'],
      ...['retire orders', 'drop orders'],
    ])
  })

  it('needs no instance', async () => {
    const { administration, calls } = open({ instance: false, names: ['a'] })
    await administration.create('orders')
    await administration.advanceTo('orders', 0n)
    await administration.advanceBy('orders', 1n)
    await administration.retire('orders')
    await administration.advanceAllBy(1n)
    expect(calls).toEqual([
      ...['create orders 1 1000', 'advanceTo orders 0', 'advanceBy orders 1', 'retire orders'],
      ...['generator 1', 'advanceBy a 1'],
    ])
  })

  it('I6: may be of any id, to the last one', async () => {
    const { administration, calls } = open({ instance: false })
    await administration.create('a', ID_MAX, 1)
    await administration.advanceTo('a', ID_MAX)
    await administration.advanceBy('a', ID_MAX)
    expect(calls).toEqual([`create a ${ID_MAX} 1`, `advanceTo a ${ID_MAX}`, `advanceBy a ${ID_MAX}`])
  })

  it.each<[string, (administration: Administration) => Promise<unknown>]>([
    ['start', (administration) => administration.create('a', -1n)],
    ['start', (administration) => administration.create('a', ID_MAX + 1n)],
    ['step', (administration) => administration.create('a', 1n, 0)],
    ['step', (administration) => administration.create('a', 1n, 1_000_000_001)],
    ['to', (administration) => administration.advanceTo('a', -1n)],
    ['to', (administration) => administration.advanceTo('a', ID_MAX + 1n)],
    ['by', (administration) => administration.advanceBy('a', 0n)],
    ['by', (administration) => administration.advanceBy('a', ID_MAX + 1n)],
    ['by', (administration) => administration.advanceAllBy(0n)],
    ['by', (administration) => administration.advanceAllBy(ID_MAX + 1n)],
    ['id', (administration) => administration.whois(-1n)],
    ['id', (administration) => administration.whois(ID_MAX + 1n)],
    ['the name', (administration) => administration.create('')],
    ['the name', (administration) => administration.advanceTo('', 1n)],
    ['the name', (administration) => administration.advanceBy('', 1n)],
    ['the name', (administration) => administration.retire('')],
    ['the name', (administration) => administration.whois(1n, '')],
  ])('with a bad %s changes nothing: %s', async (what, change) => {
    const { administration, calls } = open({ names: ['a'] })
    await expect(change(administration)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringMatching(new RegExp(`^${what} `)),
    })
    expect(calls).toEqual([])
  })
})

describe('a move of all sequences', () => {
  it('I3: reaches the generator and every name, however many', async () => {
    const names = ['A', ...Array.from({ length: 1000 }, (_, i) => `n${10_000 + i}`)]
    const { administration, calls } = open({ names })
    expect(await administration.advanceAllBy(7n)).toEqual({ moved: 1001, failures: [] })
    expect(calls).toEqual([
      'generator 7',
      'renew generator',
      ...names.flatMap((name) => [`advanceBy ${name} 7`, `renew ${name}`]),
    ])
  })

  it('ends where the last page is full', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `n${10_000 + i}`)
    expect(await open({ names }).administration.advanceAllBy(7n)).toEqual({ moved: 500, failures: [] })
  })

  it('goes on past one that cannot be moved, and tells of it unless it is gone', async () => {
    const exhausted = new SequenceError('EXHAUSTED', 'at its end')
    const gone = new SequenceError('UNKNOWN_SEQUENCE', 'retired meanwhile')
    const { administration, calls } = open({
      names: ['a', 'b', 'c', 'd'],
      failing: { a: exhausted, c: gone },
      instance: false,
    })
    expect(await administration.advanceAllBy(7n)).toEqual({ moved: 2, failures: [exhausted] })
    expect(calls).toEqual(['generator 7', 'advanceBy b 7', 'advanceBy d 7'])
  })

  it.each([new SequenceError('STORE_UNAVAILABLE', 'down'), new TypeError('a bug') as SequenceError])(
    'stops at %s',
    async (error) => {
      const { administration } = open({ names: ['a', 'b'], failing: { a: error } })
      await expect(administration.advanceAllBy(7n)).rejects.toBe(error)
    },
  )
})

describe('whois', () => {
  it('asks for the lease of a name, or of the generator', async () => {
    const { administration, calls } = open()
    expect(await administration.whois(0n, 'orders')).toBe(RECORD)
    await administration.whois(ID_MAX)
    expect(calls).toEqual(['find "orders" 0', `find "" ${ID_MAX}`])
  })

  it('is refused where leases are not recorded', async () => {
    await expect(open({ recorded: false }).administration.whois(1n)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('provenance.days'),
    })
  })
})

it('finds a sequence that there is, and no other', async () => {
  const { administration } = open({ names: ['a'] })
  await administration.find('a')
  await expect(administration.find('b')).rejects.toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
  await expect(administration.find('')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})

it('lists a page of sequences', async () => {
  const { administration } = open({ names: ['a', 'b', 'c'] })
  expect((await administration.list('a', 1)).map(({ name }) => name)).toEqual(['b'])
})
