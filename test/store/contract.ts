import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { Lease } from '../../src/core/lease.ts'
import type { GeneratorAgreement, Store } from '../../src/core/store.ts'

/** Fresh data for one test, and the instances on it. */
export interface StoreFixture {
  readonly store: Store
  /** A further instance on the same data, not prepared yet; with the fixture's agreement unless told otherwise. */
  another(agreement?: GeneratorAgreement): Promise<Store>
  /** Moves the store on, as an operator's advance does: its next lease is lease n+1. */
  setGreatestLeaseId(n: bigint): Promise<void>
  /** Closes every instance and removes the data. Called once, also when the test has closed some itself. */
  close(): Promise<void>
}

/** What every store must do, run against real data. `open` makes fresh data with one instance, not prepared yet. */
export function describeStoreContract(
  name: string,
  open: (agreement: GeneratorAgreement) => Promise<StoreFixture>,
): void {
  describe(`${name} keeps the contract of a store`, () => {
    let opened: StoreFixture[]
    beforeEach(() => {
      opened = []
    })
    afterEach(async () => {
      await Promise.all(opened.map((fixture) => fixture.close()))
    })

    async function fixtureWith(agreement: GeneratorAgreement): Promise<StoreFixture> {
      const fixture = await open(agreement)
      opened.push(fixture)
      return fixture
    }

    describe('leases', () => {
      it('starts at the step and goes on where it ended', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      })

      it('shifts every lease by first', async () => {
        const { store } = await fixtureWith({ step: 100, first: 1 })
        await store.prepare()
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 101n, end: 201n }])
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 201n, end: 301n }])
      })

      it('leases without being prepared by its caller', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
      })

      it('prepares again without harm', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        await store.generator.lease(1, 0n)
        await store.prepare()
        await (await another()).prepare()
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      })

      it('rounds up to whole leases', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        expect(await store.generator.lease(100, 0n)).toHaveLength(1)
        expect(await store.generator.lease(101, 0n)).toEqual([
          { start: 200n, end: 300n },
          { start: 300n, end: 400n },
        ])
      })

      it('grants several rising leases to one that asks for many ids', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        expect(await store.generator.lease(500, 0n)).toEqual([
          { start: 100n, end: 200n },
          { start: 200n, end: 300n },
          { start: 300n, end: 400n },
          { start: 400n, end: 500n },
          { start: 500n, end: 600n },
        ])
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 600n, end: 700n }])
      })

      it('grants something, and in bounds, to one that asks for more than a transaction should hold', async () => {
        const { store } = await fixtureWith({ step: 1, first: 0 })
        const leases = await store.generator.lease(10_000_000, 0n)
        expect(leases.length).toBeGreaterThan(0)
        expectRising(leases)
        const last = leases.at(-1) as Lease
        expect((await store.generator.lease(1, 0n))[0]?.start).toBe(last.end)
      })

      it('holds its ground with the largest step', async () => {
        const { store } = await fixtureWith({ step: 1_000_000_000, first: 0 })
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 1_000_000_000n, end: 2_000_000_000n }])
      })

      it('I1 goes on after every instance has ended', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        await store.generator.lease(1, 0n)
        await store.close()
        expect(await (await another()).generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      })

      it('I1 never grants an id twice to instances that lease at once', async () => {
        const { store, another } = await fixtureWith({ step: 7, first: 0 })
        const instances = [store, await another(), await another(), await another()]
        const grants = await Promise.all(
          instances.map(async ({ generator }) => {
            const leases: Lease[] = []
            for (let i = 0; i < 60; i++) leases.push(...(await generator.lease(1 + (i % 3) * 7, 0n)))
            return leases
          }),
        )
        for (const leases of grants) expectRising(leases)
        const all = grants.flat()
        expect(all).toHaveLength(4 * 20 * (1 + 2 + 3))
        expectRising(all.sort((a, b) => (a.start < b.start ? -1 : 1)))
      })

      it('I1 never grants an id twice when one instance is asked many times at once', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        const grants = await Promise.all(Array.from({ length: 20 }, () => store.generator.lease(200, 0n)))
        for (const leases of grants) expectRising(leases)
        const all = grants.flat()
        expect(all).toHaveLength(40)
        expectRising(all.sort((a, b) => (a.start < b.start ? -1 : 1)))
      })
    })

    describe('agreement (I7)', () => {
      it.each<[string, GeneratorAgreement]>([
        ['step', { step: 1000, first: 0 }],
        ['first', { step: 100, first: 1 }],
      ])('I7 refuses to prepare and to lease with another %s', async (_, other) => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        const stranger = await another(other)
        expect(await errorOf(stranger.prepare())).toMatchObject({ code: 'STEP_MISMATCH' })
        expect(await errorOf(stranger.generator.lease(1, 0n))).toMatchObject({ code: 'STEP_MISMATCH' })
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
      })

      it('I7 names both steps', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        const error = await errorOf((await another({ step: 1000, first: 0 })).prepare())
        expect(error.message).toMatch(/\b100\b/)
        expect(error.message).toMatch(/\b1000\b/)
      })

      it('I7 lets one of several instances that start at once with different steps win', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        const other = await another({ step: 1000, first: 0 })
        const outcomes = await Promise.allSettled([store.prepare(), other.prepare()])
        expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
      })
    })

    describe('refusal (I3)', () => {
      const refused = (floor: bigint) => ({ code: 'REGRESSED', floor })

      it('I3 refuses an instance that has seen more than the store has, and from then on every instance, until an advance', async () => {
        const { store, another, setGreatestLeaseId } = await fixtureWith({ step: 100, first: 0 })
        const neighbour = await another()
        await neighbour.prepare()
        expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
        expect(await errorOf(store.generator.lease(1, 1000n))).toMatchObject(refused(1000n))
        const newcomer = await another()
        for (const instance of [store, neighbour, newcomer])
          expect(await errorOf(instance.generator.lease(1, 0n))).toMatchObject(refused(1000n))

        // That the store moves on by itself, past the floor, lifts nothing.
        await setGreatestLeaseId(50n)
        for (const instance of [store, newcomer])
          expect(await errorOf(instance.generator.lease(1, 0n))).toMatchObject(refused(1000n))
        await newcomer.generator.advanceBy(1n)
        expect(await store.generator.lease(1, 1000n)).toEqual([{ start: 5200n, end: 5300n }])
        expect(await newcomer.generator.lease(1, 0n)).toEqual([{ start: 5300n, end: 5400n }])
      })

      it('I3 is not lifted by asking for many ids', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        for (let i = 0; i < 3; i++)
          expect(await errorOf(store.generator.lease(10_000, 1000n))).toMatchObject(refused(1000n))
      })

      it('I3 remembers a refusal when every instance has ended', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        expect(await errorOf(store.generator.lease(1, 1000n))).toMatchObject(refused(1000n))
        await store.close()
        const later = await another()
        await later.prepare()
        expect(await errorOf(later.generator.lease(1, 0n))).toMatchObject(refused(1000n))
      })

      it('I3 counts first when it compares', async () => {
        const { store } = await fixtureWith({ step: 100, first: 1 })
        expect(await store.generator.lease(1, 101n)).toEqual([{ start: 101n, end: 201n }])
        expect(await store.generator.lease(1, 201n)).toEqual([{ start: 201n, end: 301n }])
        expect(await errorOf(store.generator.lease(1, 302n))).toMatchObject(refused(302n))
      })

      it('I3 raises the floor to what any instance has seen, and never lowers it', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        for (const [seenEnd, floor] of [
          [500n, 500n],
          [1000n, 1000n],
          [700n, 1000n],
          [0n, 1000n],
        ] as const)
          expect(await errorOf(store.generator.lease(1, seenEnd))).toMatchObject(refused(floor))
      })

      it('an advance goes past the floor, and by as many ids as it is told', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        await errorOf(store.generator.lease(1, 1000n))
        await store.generator.advanceBy(250n)
        expect(await store.generator.lease(1, 1000n)).toEqual([{ start: 1400n, end: 1500n }])
      })

      it('leases to an instance that has seen just what the store has', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        await store.generator.lease(200, 0n)
        expect(await store.generator.lease(1, 300n)).toEqual([{ start: 300n, end: 400n }])
        expect(await errorOf(store.generator.lease(1, 501n))).toMatchObject(refused(501n))
      })

      it('I6 keeps a floor up to the end of the id space', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        for (const seenEnd of [9_223_372_036_854_775_807n, 9_223_372_036_854_775_808n])
          expect(await errorOf(store.generator.lease(1, seenEnd))).toMatchObject({ code: 'REGRESSED' })
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'REGRESSED' })
      })
    })

    describe('end of the id space (I6)', () => {
      it('I6 grants ids above 2^53 exactly', async () => {
        const { store, setGreatestLeaseId } = await fixtureWith({ step: 3, first: 0 })
        await store.prepare()
        await setGreatestLeaseId(9_007_199_254_740_992n)
        expect(await store.generator.lease(1, 0n)).toEqual([
          { start: 27_021_597_764_222_979n, end: 27_021_597_764_222_982n },
        ])
      })

      it('I6 clips the last lease and then is EXHAUSTED', async () => {
        const { store, another, setGreatestLeaseId } = await fixtureWith({ step: 1000, first: 0 })
        await store.prepare()
        await setGreatestLeaseId(9_223_372_036_854_773n)
        expect(await store.generator.lease(10_000, 0n)).toEqual([
          { start: 9_223_372_036_854_774_000n, end: 9_223_372_036_854_775_000n },
          { start: 9_223_372_036_854_775_000n, end: 9_223_372_036_854_775_808n },
        ])
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'EXHAUSTED' })
        expect(await errorOf((await another()).generator.lease(1, 0n))).toMatchObject({ code: 'EXHAUSTED' })
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'EXHAUSTED' })
      })

      it('I6 serves a step of 1 up to the last id', async () => {
        const { store, setGreatestLeaseId } = await fixtureWith({ step: 1, first: 0 })
        await store.prepare()
        await setGreatestLeaseId(9_223_372_036_854_775_805n)
        expect(await store.generator.lease(1, 0n)).toEqual([
          { start: 9_223_372_036_854_775_806n, end: 9_223_372_036_854_775_807n },
        ])
        expect(await store.generator.lease(5, 0n)).toEqual([
          { start: 9_223_372_036_854_775_807n, end: 9_223_372_036_854_775_808n },
        ])
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'EXHAUSTED' })
      })
    })

    describe('end', () => {
      it('refuses to lease, to advance and to prepare once it is closed', async () => {
        const { store } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        await store.close()
        expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'SHUTTING_DOWN' })
        expect(await errorOf(store.generator.advanceBy(1n))).toMatchObject({ code: 'SHUTTING_DOWN' })
        expect(await errorOf(store.prepare())).toMatchObject({ code: 'SHUTTING_DOWN' })
      })

      it('closes twice, and before it was ever used', async () => {
        const { store, another } = await fixtureWith({ step: 100, first: 0 })
        await store.prepare()
        await store.close()
        await store.close()
        await (await another()).close()
      })
    })
  })
}

/** The operating error that `promise` rejects with; anything else fails the test. */
export async function errorOf(promise: Promise<unknown>): Promise<SequenceError> {
  const error = await promise.then(
    (value) => expect.fail(`resolved with ${String(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SequenceError)
  return error as SequenceError
}

/** Each lease holds ids and starts at or above the end of the one before. */
export function expectRising(leases: readonly Lease[]): void {
  let end = 0n
  for (const lease of leases) {
    expect(lease.start).toBeGreaterThanOrEqual(end)
    expect(lease.end).toBeGreaterThan(lease.start)
    end = lease.end
  }
}
