import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prune } from '../../src/commands/pruning.ts'
import { type AuditFinding, auditLeases } from '../../src/core/provenance.ts'
import type { LeaseRecord, ProvenanceStore, Store } from '../../src/core/store.ts'
import { errorOf } from './contract.ts'

/** Fresh data for one test with one instance, which is called `FIRST`, and how to work on it by hand. */
export interface ProvenanceFixture {
  readonly store: Store
  /** A further instance on the same data. */
  another(uuid: string, provenance?: boolean): Promise<Store>
  /** Runs one statement that both databases understand. */
  run(sql: string): Promise<void>
  /** Makes the generator go on from lease `n`+1, as an older backup of its table alone does. */
  restoreGenerator(n: bigint): Promise<void>
  close(): Promise<void>
}

export const FIRST = '01a1fd7d-c374-7524-955a-e9d832025201'
const SECOND = '01a1fd7d-c375-7524-955a-e9d832025202'

const DAY_MS = 86_400_000

/** What every store that records leases must do, run against real data. The generator's step is 100. */
export function describeProvenanceContract(name: string, open: () => Promise<ProvenanceFixture>): void {
  describe(`${name} keeps a record of leases`, () => {
    let fixture: ProvenanceFixture
    let store: Store
    let provenance: ProvenanceStore
    beforeEach(async () => {
      fixture = await open()
      store = fixture.store
      provenance = store.provenance as ProvenanceStore
      await store.prepare()
    })
    afterEach(() => fixture.close())

    const all = () => provenance.page(undefined, 1_000)
    const ranges = async () => (await all()).map(({ sequence, start, end }) => [sequence, start, end])
    const insert = (sequence: string, start: number, end: number, timeMs = 1_000, instance = FIRST) =>
      fixture.run(
        `INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES ('${sequence}', ${start}, ${end}, '${instance}', ${timeMs})`,
      )

    async function audit(): Promise<AuditFinding[]> {
      const findings: AuditFinding[] = []
      for await (const finding of auditLeases(provenance)) findings.push(finding)
      return findings
    }

    describe('whom an id was leased to', () => {
      it('is found at both borders of a lease, and not past its end', async () => {
        const other = await fixture.another(SECOND)
        const beforeMs = Date.now()
        await store.generator.lease(1, 0n)
        await other.generator.lease(1, 0n)
        const found = await provenance.find('', 100n)
        expect(found).toEqual({
          sequence: '',
          start: 100n,
          end: 200n,
          instance: FIRST,
          timeMs: found?.timeMs,
        })
        expect(found?.timeMs).toBeGreaterThanOrEqual(beforeMs - 5)
        expect(found?.timeMs).toBeLessThanOrEqual(Date.now() + 5)
        expect((await provenance.find('', 199n))?.instance).toBe(FIRST)
        expect(await provenance.find('', 200n)).toMatchObject({ instance: SECOND, start: 200n })
        expect(await provenance.find('', 299n)).toMatchObject({ instance: SECOND })
        expect(await provenance.find('', 300n)).toBeUndefined()
        expect(await provenance.find('', 99n)).toBeUndefined()
      })

      it('is told for each sequence apart, whatever its name', async () => {
        const names = ['orders', 'Orders', "it's \\ 订单 😀", '😀'.repeat(128)]
        for (const [i, name] of names.entries()) {
          await store.segments.create(name, BigInt(1_000 * (i + 1)), 10)
          await store.segments.source(name).lease(1, 0n)
        }
        for (const [i, name] of names.entries()) {
          const start = BigInt(1_000 * (i + 1))
          expect(await provenance.find(name, start + 9n)).toMatchObject({
            sequence: name,
            start,
            end: start + 10n,
          })
          expect(await provenance.find(name, start + 10n)).toBeUndefined()
        }
        expect(await provenance.find('ORDERS', 1_000n)).toBeUndefined()
        expect(await provenance.find('', 1_000n)).toBeUndefined()
      })

      it('I6: is exact above 2^53 and up to the last id', async () => {
        const last = 9_223_372_036_854_775_807n
        await store.segments.create('big', last - 1n, 10)
        await store.segments.source('big').lease(1, 0n)
        await store.segments.create('large', 9_007_199_254_740_993n, 1)
        await store.segments.source('large').lease(1, 0n)
        expect(await provenance.find('big', last)).toMatchObject({ start: last - 1n, end: last + 1n })
        expect(await provenance.find('big', last - 2n)).toBeUndefined()
        expect(await provenance.find('large', 9_007_199_254_740_993n)).toMatchObject({
          start: 9_007_199_254_740_993n,
          end: 9_007_199_254_740_994n,
        })
        expect(await provenance.find('large', 9_007_199_254_740_992n)).toBeUndefined()
        expect(await provenance.find('large', 9_007_199_254_740_994n)).toBeUndefined()
      })

      it('is one record for a grant of many leases', async () => {
        await store.generator.lease(10_000, 0n)
        await store.generator.lease(1, 0n)
        expect(await ranges()).toEqual([
          ['', 100n, 10_100n],
          ['', 10_100n, 10_200n],
        ])
      })

      it('leaves out what was refused', async () => {
        await errorOf(store.generator.lease(1, 1_000n))
        await errorOf(store.segments.source('nope').lease(1, 0n))
        expect(await all()).toEqual([])
      })
    })

    it('is read by pages in order, across sequences', async () => {
      for (const name of ['b', 'a']) await store.segments.create(name, 1n, 10)
      for (const source of [store.generator, store.segments.source('b'), store.segments.source('a')])
        for (let i = 0; i < 3; i++) await source.lease(1, 0n)
      const read: LeaseRecord[] = []
      for (;;) {
        const page = await provenance.page(read.at(-1), 2)
        read.push(...page)
        if (page.length < 2) break
      }
      expect(read.map(({ sequence, start }) => [sequence, start])).toEqual([
        ['', 100n],
        ['', 200n],
        ['', 300n],
        ['a', 1n],
        ['a', 11n],
        ['a', 21n],
        ['b', 1n],
        ['b', 11n],
        ['b', 21n],
      ])
    })

    describe('the audit', () => {
      it('I1: finds nothing but one run of ids after instances that leased at once', async () => {
        const stores = [store, await fixture.another(SECOND), await fixture.another('third')]
        await store.segments.create('orders', 1n, 7)
        await Promise.all(
          stores.map(async ({ generator, segments }) => {
            for (let i = 0; i < 20; i++) {
              await generator.lease(1 + (i % 3) * 200, 0n)
              await segments.source('orders').lease(1 + (i % 3) * 9, 0n)
            }
          }),
        )
        // Of 20 grants of each, 7 are of 1 lease, 7 of 3 and 6 of 5.
        expect(await audit()).toMatchObject([
          { type: 'sequence', sequence: '', start: 100n, end: 17_500n, ids: 17_400n, overlaps: 0, gaps: 0 },
          { type: 'sequence', sequence: 'orders', start: 1n, overlaps: 0, gaps: 0 },
        ])
      })

      it('tells of gaps, and where each sequence stands', async () => {
        await store.segments.create('orders', 1n, 10)
        await store.segments.create('retired', 1n, 10)
        const orders = store.segments.source('orders')
        await orders.lease(1, 0n)
        await store.segments.advanceTo('orders', 500n)
        await orders.lease(1, 0n)
        await store.segments.source('retired').lease(1, 0n)
        await store.segments.retire('retired')
        await store.generator.lease(1, 0n)
        await store.generator.advanceBy(1_000n)
        await store.generator.lease(1, 0n)
        expect(await audit()).toEqual([
          { type: 'gap', sequence: '', start: 200n, end: 1_200n },
          {
            type: 'sequence',
            sequence: '',
            records: 2,
            ids: 200n,
            start: 100n,
            end: 1_300n,
            overlaps: 0,
            gaps: 1,
            gapIds: 1_000n,
            position: 1_300n,
          },
          { type: 'gap', sequence: 'orders', start: 11n, end: 500n },
          {
            type: 'sequence',
            sequence: 'orders',
            records: 2,
            ids: 20n,
            start: 1n,
            end: 510n,
            overlaps: 0,
            gaps: 1,
            gapIds: 489n,
            position: 510n,
          },
          expect.objectContaining({ type: 'sequence', sequence: 'retired', end: 11n, position: undefined }),
        ])
      })

      it('I1: finds every lease that overlaps an earlier one, however far back that began', async () => {
        await insert('x', 1, 1_000)
        await insert('x', 10, 20, 2_000, SECOND)
        await insert('x', 999, 1_001)
        await insert('x', 1_001, 1_002)
        await insert('y', 1, 1_000)
        const findings = await audit()
        expect(findings.map(({ type }) => type)).toEqual(['overlap', 'overlap', 'sequence', 'sequence'])
        expect(findings[0]).toEqual({
          type: 'overlap',
          earlier: { sequence: 'x', start: 1n, end: 1_000n, instance: FIRST, timeMs: 1_000 },
          later: { sequence: 'x', start: 10n, end: 20n, instance: SECOND, timeMs: 2_000 },
        })
        expect(findings[1]).toMatchObject({ earlier: { start: 1n }, later: { start: 999n } })
        expect(findings[2]).toMatchObject({ sequence: 'x', records: 4, overlaps: 2, gaps: 0, end: 1_002n })
      })

      it('goes over as many records as there are, page by page', async () => {
        const rows = Array.from(
          { length: 2_500 },
          (_, i) => `('x', ${i * 10}, ${i * 10 + 10}, '${FIRST}', ${i})`,
        )
        await fixture.run(
          `INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES ${rows.join()}`,
        )
        await insert('x', 24_990 + 10 + 5, 25_010)
        await insert('y', 1, 2)
        expect(await audit()).toMatchObject([
          { type: 'gap', start: 25_000n, end: 25_005n },
          { sequence: 'x', records: 2_501, ids: 25_005n, gaps: 1, overlaps: 0 },
          { sequence: 'y', records: 1 },
        ])
      })
    })

    describe('a table that went back alone (I3)', () => {
      it('I3: the generator is refused by an instance that has seen nothing, until an advance', async () => {
        for (let i = 0; i < 5; i++) await store.generator.lease(1, 0n)
        await fixture.restoreGenerator(2n)
        const newcomer = await fixture.another(SECOND)
        for (let i = 0; i < 2; i++)
          expect(await errorOf(newcomer.generator.lease(1, 0n))).toMatchObject({
            code: 'REGRESSED',
            floor: 600n,
          })
        // Also by one that keeps no record: the refusal stands where it looks.
        const other = await fixture.another('other', false)
        expect(await errorOf(other.generator.lease(1, 0n))).toMatchObject({ code: 'REGRESSED', floor: 600n })
        await newcomer.generator.advanceBy(1n)
        expect((await newcomer.generator.lease(1, 0n))[0]?.start).toBeGreaterThanOrEqual(600n)
      })

      it('I3: an advance right after a restore goes past every lease on record', async () => {
        for (let i = 0; i < 5; i++) await store.generator.lease(1, 0n)
        await fixture.restoreGenerator(2n)
        await store.generator.advanceBy(1n)
        expect((await store.generator.lease(1, 0n))[0]?.start).toBeGreaterThanOrEqual(600n)
      })

      it('I3: a lowered max_id is refused by an instance that has seen nothing, until an advance past the record', async () => {
        await store.segments.create('orders', 1n, 10)
        await store.segments.source('orders').lease(100, 0n)
        await fixture.run("UPDATE segments SET max_id = 50 WHERE app_tag = 'orders'")
        const { segments } = await fixture.another(SECOND)
        const refused = { code: 'REGRESSED', floor: 101n }
        expect(await errorOf(segments.source('orders').lease(1, 0n))).toMatchObject(refused)
        await segments.advanceTo('orders', 100n)
        expect(await errorOf(segments.source('orders').lease(1, 0n))).toMatchObject(refused)
        await segments.advanceBy('orders', 1n)
        expect(await segments.source('orders').lease(1, 0n)).toEqual([{ start: 102n, end: 112n }])
      })

      it('I3: an advance to a place below the record lifts nothing', async () => {
        await store.segments.create('orders', 1n, 10)
        await store.segments.source('orders').lease(100, 0n)
        await fixture.run("UPDATE segments SET max_id = 50 WHERE app_tag = 'orders'")
        await store.segments.advanceTo('orders', 60n)
        const lease = () => store.segments.source('orders').lease(1, 0n)
        expect(await errorOf(lease())).toMatchObject({ code: 'REGRESSED', floor: 101n })
        await store.segments.advanceTo('orders', 101n)
        expect(await lease()).toEqual([{ start: 101n, end: 111n }])
      })

      it('I1: a sequence whose row is gone is made again above its leases on record', async () => {
        await store.segments.create('orders', 1n, 10)
        await store.segments.source('orders').lease(100, 0n)
        await fixture.run("DELETE FROM segments WHERE app_tag = 'orders'")
        await store.segments.create('orders', 1n, 10)
        expect(await store.segments.source('orders').lease(1, 0n)).toEqual([{ start: 101n, end: 111n }])
      })

      it('I3: is told by the audit', async () => {
        await store.segments.create('orders', 1n, 10)
        await store.segments.source('orders').lease(100, 0n)
        await fixture.run("UPDATE segments SET max_id = 50 WHERE app_tag = 'orders'")
        expect(await audit()).toMatchObject([{ sequence: 'orders', end: 101n, position: 50n }])
      })

      it('I3: a second record of the same start is refused by the database, and nothing is leased', async () => {
        // Records that end where they start say nothing of what was leased, but their starts are taken.
        await insert('', 100, 100)
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'REGRESSED' })
        await store.segments.create('orders', 1n, 10)
        await insert('orders', 1, 1)
        for (let i = 0; i < 2; i++)
          expect(await errorOf(store.segments.source('orders').lease(1, 0n))).toMatchObject({
            code: 'REGRESSED',
            message: expect.stringContaining('"orders"'),
          })
        expect((await ranges()).map(([, , end]) => end)).toEqual([100n, 1n])
        expect(await store.segments.list('', 10)).toMatchObject([{ name: 'orders', maxId: 1n }])
      })
    })

    describe('pruning', () => {
      it('forgets what is too old, and never the last lease of a sequence', async () => {
        for (const [sequence, count] of [
          ['busy', 250],
          ['idle', 1],
        ] as const)
          for (let i = 0; i < count; i++) await insert(sequence, i * 10, i * 10 + 10, 1_000 + i)
        await insert('idle', 10, 20, Date.now())
        await insert('old', 0, 10, 5)
        expect(await prune(provenance, DAY_MS)).toBe(250)
        expect(await ranges()).toEqual([
          ['busy', 2_490n, 2_500n],
          ['idle', 10n, 20n],
          ['old', 0n, 10n],
        ])
        expect(await prune(provenance, DAY_MS)).toBe(0)
      })

      it('takes small bites, and gets past records that stay, also of one moment', async () => {
        // The last leases of 250 sequences, which stay, lie before one that goes.
        for (let i = 0; i < 250; i++) await insert(`s${i}`, 0, 10, 7)
        await insert('busy', 0, 10, 8)
        await insert('busy', 10, 20, 9)
        expect(await provenance.prune(DAY_MS, 0)).toMatchObject({ pruned: 0, nextMs: expect.any(Number) })
        expect(await prune(provenance, DAY_MS)).toBe(1)
        expect(await provenance.find('busy', 5n)).toBeUndefined()
        expect(await provenance.find('busy', 15n)).toMatchObject({ start: 10n })
      })

      it('keeps what is young', async () => {
        for (let i = 0; i < 3; i++) await store.generator.lease(1, 0n)
        expect(await prune(provenance, DAY_MS)).toBe(0)
        expect(await ranges()).toHaveLength(3)
      })

      it('I3: what stays still refuses a table that went back', async () => {
        for (let i = 0; i < 5; i++) await store.generator.lease(1, 0n)
        await fixture.run('UPDATE seqsvr_leases SET time_ms = 1000')
        expect(await prune(provenance, DAY_MS)).toBe(4)
        await fixture.restoreGenerator(2n)
        const newcomer = await fixture.another(SECOND)
        expect(await errorOf(newcomer.generator.lease(1, 0n))).toMatchObject({
          code: 'REGRESSED',
          floor: 600n,
        })
      })
    })

    it('tells of the instances that leased lately, the latest first', async () => {
      await insert('x', 0, 10, 5_000, FIRST)
      await insert('x', 10, 20, 7_000, SECOND)
      await insert('x', 20, 30, 6_000, FIRST)
      await insert('x', 30, 40, 100, 'long-gone')
      expect(await provenance.instances(5_000)).toEqual([
        { instance: SECOND, seenAtMs: 7_000, leases: 1 },
        { instance: FIRST, seenAtMs: 6_000, leases: 2 },
      ])
      expect(await provenance.instances(7_001)).toEqual([])
    })

    it('is neither written nor needed where it is off', async () => {
      await store.generator.lease(1, 0n)
      await store.segments.create('orders', 1n, 10)
      await fixture.run('DROP TABLE seqsvr_leases')
      const off = await fixture.another(SECOND, false)
      expect(off.provenance).toBeUndefined()
      await off.prepare()
      expect(await off.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      expect(await off.segments.source('orders').lease(1, 0n)).toEqual([{ start: 1n, end: 11n }])
      await off.generator.advanceBy(1n)
      await off.segments.advanceBy('orders', 1n)
      await off.segments.retire('orders')
      await off.segments.create('orders', 1n, 10)
    })

    it('goes on beside instances that keep no record', async () => {
      const off = await fixture.another(SECOND, false)
      await store.generator.lease(1, 0n)
      await off.generator.lease(1, 0n)
      expect(await store.generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
      expect(await ranges()).toEqual([
        ['', 100n, 200n],
        ['', 300n, 400n],
      ])
    })
  })
}
