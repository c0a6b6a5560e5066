import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Lease } from '../../src/core/lease.ts'
import type { Store } from '../../src/core/store.ts'

/** Fresh data for one test, and the instances on it. */
export interface SegmentsFixture {
  readonly store: Store
  /** A further instance on the same data. */
  another(): Promise<Store>
  /** Writes a row as an older system, or a person, would. */
  insertRow(name: string, maxId: bigint, step: bigint): Promise<void>
  /** Removes a row, as an older backup does that does not have it yet. */
  removeRow(name: string): Promise<void>
  close(): Promise<void>
}

const ID_MAX = 9223372036854775807n

/** What the named sequences of every store must do, run against real data. */
export function describeSegmentsContract(name: string, open: () => Promise<SegmentsFixture>): void {
  describe(`${name} keeps the contract of named sequences`, () => {
    let fixture: SegmentsFixture
    beforeEach(async () => {
      fixture = await open()
    })
    afterEach(() => fixture.close())

    const lease = (of: string, ids = 1, store = fixture.store) => store.segments.source(of).lease(ids, 0n)

    describe('leases', () => {
      it('start at max_id, end a step later, and go on there', async () => {
        await fixture.insertRow('orders', 500n, 100n)
        expect(await lease('orders')).toEqual([{ start: 500n, end: 600n }])
        expect(await lease('orders')).toEqual([{ start: 600n, end: 700n }])
      })

      it('skip id 0, as the older servers do', async () => {
        await fixture.insertRow('test_business', 0n, 100000n)
        expect(await lease('test_business')).toEqual([{ start: 1n, end: 100000n }])
        await fixture.insertRow('tiny', 0n, 1n)
        expect(await lease('tiny')).toEqual([{ start: 1n, end: 2n }])
      })

      it('hold as many steps as are asked for, in one row of ids', async () => {
        await fixture.insertRow('orders', 1n, 100n)
        expect(await lease('orders', 250)).toEqual([{ start: 1n, end: 301n }])
      })

      it('I1: of several instances at once never overlap', async () => {
        await fixture.insertRow('orders', 1n, 3n)
        const stores = [fixture.store, await fixture.another(), await fixture.another()]
        const granted = await Promise.all(
          Array.from({ length: 150 }, (_, i) => lease('orders', 1 + (i % 5), stores[i % 3] as Store)),
        )
        const sorted = (granted.flat() as Lease[]).sort((a, b) => Number(a.start - b.start))
        for (const [i, { start }] of sorted.entries()) expect(start).toBe(i === 0 ? 1n : sorted[i - 1]?.end)
      })

      it('I6: are exact up to the last id, then EXHAUSTED', async () => {
        await fixture.insertRow('big', ID_MAX - 1n, 100n)
        expect(await lease('big')).toEqual([{ start: ID_MAX - 1n, end: ID_MAX + 1n }])
        await expect(lease('big')).rejects.toMatchObject({ code: 'EXHAUSTED' })
      })

      it('of a name that is not there: UNKNOWN_SEQUENCE', async () => {
        await expect(lease('nope')).rejects.toMatchObject({
          code: 'UNKNOWN_SEQUENCE',
          message: expect.stringContaining('"nope"'),
        })
      })

      it.each([
        ['step', 1n, 0n],
        ['step', 1n, -5n],
        ['step', 1n, 1_000_000_001n],
      ])('of a row with an absurd %s (%s, %s) are refused by name', async (column, maxId, step) => {
        await fixture.insertRow('odd', maxId, step)
        await expect(lease('odd')).rejects.toMatchObject({
          code: 'STORE_MISCONFIGURED',
          message: expect.stringMatching(new RegExp(`"odd".*${column}`)),
        })
      })
    })

    describe('names', () => {
      const NAMES = [
        'Order',
        'order',
        'ordér',
        'order ',
        ' order',
        "x'; DROP TABLE segments; -- ",
        'a"b`c\\d',
        '订单',
        '😀',
        '%',
        '_',
      ]

      it('are compared exactly, and are data', async () => {
        for (const [i, name] of NAMES.entries())
          await fixture.store.segments.create(name, BigInt(1000 * (i + 1)), 10)
        for (const [i, name] of NAMES.entries())
          expect(await lease(name)).toEqual([
            { start: BigInt(1000 * (i + 1)), end: BigInt(1000 * (i + 1) + 10) },
          ])
        expect(await fixture.store.segments.existing([...NAMES, 'ORDER', 'order  ', 'nope'])).toEqual(
          new Set(NAMES),
        )
      })

      it('that are not there are not found in one that is like them', async () => {
        await fixture.store.segments.create('Order', 1n, 10)
        for (const name of ['order', 'ORDER', 'Order ', 'Ordér'])
          await expect(lease(name)).rejects.toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
      })

      it('of 128 characters fit, whatever they are', async () => {
        const name = '😀'.repeat(128)
        await fixture.store.segments.create(name, 1n, 10)
        expect(await lease(name)).toEqual([{ start: 1n, end: 11n }])
        await fixture.store.segments.retire(name)
      })
    })

    describe('administration', () => {
      it('makes a sequence whose first id is the start, once', async () => {
        await fixture.store.segments.create('orders', 42n, 7)
        await expect(fixture.store.segments.create('orders', 1n, 7)).rejects.toMatchObject({
          code: 'SEQUENCE_EXISTS',
        })
        expect(await lease('orders')).toEqual([{ start: 42n, end: 49n }])
      })

      it('I6: makes one that starts at the last id', async () => {
        await fixture.store.segments.create('big', ID_MAX, 1000)
        expect(await lease('big')).toEqual([{ start: ID_MAX, end: ID_MAX + 1n }])
      })

      it('lists in pages, in order, with exact numbers', async () => {
        for (const name of ['c', 'a', 'b']) await fixture.store.segments.create(name, ID_MAX, 5)
        expect(await fixture.store.segments.list('', 2)).toEqual([
          { name: 'a', maxId: ID_MAX, step: 5n },
          { name: 'b', maxId: ID_MAX, step: 5n },
        ])
        expect((await fixture.store.segments.list('b', 2)).map(({ name }) => name)).toEqual(['c'])
      })

      it('advances forward only', async () => {
        await fixture.store.segments.create('orders', 100n, 10)
        await fixture.store.segments.advanceTo('orders', 500n)
        await fixture.store.segments.advanceTo('orders', 50n)
        expect(await lease('orders')).toEqual([{ start: 500n, end: 510n }])
        await fixture.store.segments.advanceBy('orders', 1000n)
        expect(await lease('orders')).toEqual([{ start: 1510n, end: 1520n }])
        await expect(fixture.store.segments.advanceTo('nope', 1n)).rejects.toMatchObject({
          code: 'UNKNOWN_SEQUENCE',
        })
        await expect(fixture.store.segments.advanceBy('nope', 1n)).rejects.toMatchObject({
          code: 'UNKNOWN_SEQUENCE',
        })
      })

      it('I1: a retired name that is made again starts above all that it leased', async () => {
        await fixture.store.segments.create('orders', 1n, 10)
        expect(await lease('orders')).toEqual([{ start: 1n, end: 11n }])
        await fixture.store.segments.retire('orders')
        await expect(lease('orders')).rejects.toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
        await expect(fixture.store.segments.retire('orders')).rejects.toMatchObject({
          code: 'UNKNOWN_SEQUENCE',
        })
        await fixture.store.segments.create('orders', 1n, 10)
        expect(await lease('orders')).toEqual([{ start: 11n, end: 21n }])
        await fixture.store.segments.retire('orders')
        await fixture.store.segments.create('orders', 900n, 10)
        expect(await lease('orders')).toEqual([{ start: 900n, end: 910n }])
      })

      it('I1: a sequence whose row is gone is made again above what an instance has seen of it', async () => {
        await fixture.store.segments.create('orders', 1n, 10)
        await lease('orders')
        await fixture.removeRow('orders')
        const seen = fixture.store.segments.source('orders').lease(1, 11n)
        await expect(seen).rejects.toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
        await fixture.store.segments.create('orders', 1n, 10)
        expect(await lease('orders')).toEqual([{ start: 11n, end: 21n }])
      })

      it('I3: a retired name that is made again by hand, below what it leased, is refused', async () => {
        await fixture.store.segments.create('orders', 100n, 10)
        await lease('orders')
        await fixture.store.segments.retire('orders')
        await fixture.insertRow('orders', 0n, 10n)
        await expect(lease('orders')).rejects.toMatchObject({ code: 'REGRESSED', floor: 110n })
      })

      it('I3: an instance that has seen more stops every instance, until an advance', async () => {
        await fixture.store.segments.create('orders', 100n, 10)
        const seen = (seenEnd: bigint) => fixture.store.segments.source('orders').lease(500, seenEnd)
        await expect(seen(300n)).rejects.toMatchObject({ code: 'REGRESSED', floor: 300n })
        await expect(seen(200n)).rejects.toMatchObject({ code: 'REGRESSED', floor: 300n })
        const other = await fixture.another()
        await expect(lease('orders', 1, other)).rejects.toMatchObject({ code: 'REGRESSED', floor: 300n })
        await fixture.store.segments.advanceTo('orders', 299n)
        await expect(lease('orders', 1, other)).rejects.toMatchObject({ code: 'REGRESSED', floor: 300n })
        await fixture.store.segments.advanceBy('orders', 25n)
        expect(await lease('orders', 1, other)).toEqual([{ start: 325n, end: 335n }])
      })

      it('I3: an advance to a place past the floor lifts the refusal', async () => {
        await fixture.store.segments.create('orders', 100n, 10)
        await expect(fixture.store.segments.source('orders').lease(1, 300n)).rejects.toMatchObject({
          code: 'REGRESSED',
        })
        await fixture.store.segments.advanceTo('orders', 300n)
        expect(await lease('orders')).toEqual([{ start: 300n, end: 310n }])
      })
    })
  })
}
