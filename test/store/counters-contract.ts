import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CounterDemand, CounterKey, Store } from '../../src/core/store.ts'

/** Fresh data for one test, and the instances on it. */
export interface CountersFixture {
  readonly store: Store
  /** A further instance on the same data. */
  another(): Promise<Store>
  /** Writes a row as the older server, a person, or a restored backup would. */
  writeRow(key: CounterKey, counter: bigint, updateSeconds: number): Promise<void>
  deleteRow(key: CounterKey): Promise<void>
  close(): Promise<void>
}

const ID_MAX = 9223372036854775807n

/** What the counters of every store must do, run against real data. */
export function describeCountersContract(name: string, open: () => Promise<CountersFixture>): void {
  describe(`${name} keeps the contract of counters`, () => {
    let fixture: CountersFixture
    beforeEach(async () => {
      fixture = await open()
    })
    afterEach(() => fixture.close())

    const key = { nodeOffset: 0, ruleName: 'order', appName: 'shop' }
    const day = { sinceSeconds: 1000, untilSeconds: 2000, seconds: 1500 }
    const range = { first: 0n, last: 999n, step: 1n, count: 10, seen: undefined }
    const reserve = (demand: Partial<CounterDemand> = {}, of = key, store = fixture.store) =>
      store.counters.reserve(of, { ...day, ...range, ...demand })
    const read = (of = key) => fixture.store.counters.read(of)

    it('starts at the first number and goes on above what was reserved', async () => {
      expect(await read()).toBeUndefined()
      expect(await reserve()).toEqual({ first: 0n, count: 10 })
      expect(await read()).toEqual({ counter: 9n, updateSeconds: 1500, isRefused: false })
      expect(await reserve({ seconds: 1200, count: 5 })).toEqual({ first: 10n, count: 5 })
      expect(await read()).toEqual({ counter: 14n, updateSeconds: 1500, isRefused: false })
    })

    it('moves by the step', async () => {
      expect(await reserve({ first: 2n, step: 5n, count: 3 })).toEqual({ first: 2n, count: 3 })
      expect(await read()).toMatchObject({ counter: 12n })
      expect(await reserve({ first: 2n, step: 5n, count: 1 })).toEqual({ first: 17n, count: 1 })
    })

    it('takes the next number on the grid where an older one had another step', async () => {
      await fixture.writeRow(key, 8n, 1500)
      expect(await reserve({ first: 2n, step: 5n, count: 1 })).toEqual({ first: 12n, count: 1 })
      await fixture.writeRow({ ...key, appName: 'low' }, 8n, 1500)
      expect(await reserve({ first: 100n }, { ...key, appName: 'low' })).toEqual({ first: 100n, count: 10 })
    })

    it('keeps rules, app_names and offsets apart', async () => {
      await reserve()
      for (const other of [{ appName: 'other' }, { appName: '' }, { ruleName: 'other' }, { nodeOffset: 1 }])
        expect(await reserve({}, { ...key, ...other })).toEqual({ first: 0n, count: 10 })
      expect(await reserve({}, { ...key, appName: 'Ünïcödé 𝔸' })).toEqual({ first: 0n, count: 10 })
      expect(await reserve({}, { ...key, appName: 'SHOP' })).toEqual({ first: 0n, count: 10 })
    })

    it('starts again in a later period, and follows one that began elsewhere', async () => {
      await reserve()
      const next = { sinceSeconds: 2000, untilSeconds: 3000, seconds: 2000 }
      expect(await reserve(next)).toEqual({ first: 0n, count: 10 })
      expect(await read()).toEqual({ counter: 9n, updateSeconds: 2000, isRefused: false })
      expect(await reserve()).toEqual({ laterSeconds: 2000 })
      expect(await read()).toEqual({ counter: 9n, updateSeconds: 2000, isRefused: false })
    })

    it('has one endless period', async () => {
      const endless = { sinceSeconds: Number.NEGATIVE_INFINITY, untilSeconds: Number.POSITIVE_INFINITY }
      await reserve(endless)
      expect(await reserve({ ...endless, seconds: 4_000_000_000 })).toEqual({ first: 10n, count: 10 })
    })

    it('I6: gives what is left, and then EXHAUSTED until the next period', async () => {
      expect(await reserve({ last: 6n })).toEqual({ first: 0n, count: 7 })
      await expect(reserve({ last: 6n })).rejects.toMatchObject({
        code: 'EXHAUSTED',
        message: expect.stringMatching(/"order" for "shop".*max_counter\(\) is 6/),
      })
      expect(await read()).toMatchObject({ counter: 6n })
      expect(
        await reserve({ last: 6n, sinceSeconds: 2000, untilSeconds: 3000, seconds: 2500 }),
      ).toMatchObject({ first: 0n })
    })

    it('I6: is exact up to 2^63-1', async () => {
      const end = { first: ID_MAX - 3n, last: ID_MAX, step: 2n }
      expect(await reserve(end)).toEqual({ first: ID_MAX - 3n, count: 2 })
      expect(await read()).toMatchObject({ counter: ID_MAX - 1n })
      await expect(reserve(end)).rejects.toMatchObject({ code: 'EXHAUSTED' })
    })

    const regressed = (counter: number) => ({
      code: 'REGRESSED',
      message: expect.stringContaining(`"order" for "shop" up to ${counter} at least were reserved`),
    })
    const nextDay = { sinceSeconds: 2000, untilSeconds: 3000, seconds: 2500 }

    it.each([
      ['an older row', () => fixture.writeRow(key, 4n, 1400)],
      ['a row of the period before', () => fixture.writeRow(key, 900n, 900)],
      ['no row', () => fixture.deleteRow(key)],
    ])(
      'I3: where it went backwards to %s every instance refuses, also one that starts later, until the period is over',
      async (_, restore) => {
        expect(await reserve({ count: 30 })).toEqual({ first: 0n, count: 30 })
        await restore()
        await expect(reserve({ seen: 29n })).rejects.toMatchObject(regressed(29))
        const restarted = await fixture.another()
        for (const store of [restarted, fixture.store])
          await expect(reserve({}, key, store)).rejects.toMatchObject(regressed(29))
        // One that knows less changes nothing, one that knows more raises it.
        await expect(reserve({ seen: 9n })).rejects.toMatchObject(regressed(29))
        await expect(reserve({ seen: 49n }, key, restarted)).rejects.toMatchObject(regressed(49))
        await expect(reserve({ seen: 29n })).rejects.toMatchObject(regressed(49))
        expect(await read()).toMatchObject({ counter: 49n, isRefused: true })
        expect(await reserve(nextDay)).toEqual({ first: 0n, count: 10 })
        await expect(reserve({ ...nextDay, seen: 9n }, key, restarted)).resolves.toEqual({
          first: 10n,
          count: 10,
        })
      },
    )

    it('I3: a person who sets the row past every number in use lifts a refusal', async () => {
      await reserve()
      await expect(reserve({ seen: 10n })).rejects.toMatchObject(regressed(10))
      await fixture.writeRow(key, 199n, 1500)
      expect(await reserve({ seen: 10n }, key, await fixture.another())).toEqual({ first: 200n, count: 10 })
    })

    it('I3: and a row that is set to less is refused again', async () => {
      await reserve()
      await expect(reserve({ seen: 10n })).rejects.toMatchObject(regressed(10))
      await fixture.writeRow(key, 9n, 1500)
      await expect(reserve({ seen: 10n })).rejects.toMatchObject(regressed(10))
    })

    it('I3, I6: a refusal is exact up to 2^63-1', async () => {
      await reserve()
      await expect(reserve({ seen: ID_MAX, last: ID_MAX })).rejects.toMatchObject({ code: 'REGRESSED' })
      expect(await read()).toEqual({ counter: ID_MAX, updateSeconds: 1500, isRefused: true })
    })

    it('I1: several instances at once never reserve a number twice', async () => {
      const stores = [fixture.store, await fixture.another(), await fixture.another()]
      const grants = await Promise.all(
        Array.from({ length: 90 }, (_, i) => reserve({ count: 1 + (i % 4) }, key, stores[i % 3] as Store)),
      )
      const numbers = grants.flatMap((grant) =>
        'first' in grant ? Array.from({ length: grant.count }, (_, i) => Number(grant.first) + i) : [],
      )
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: numbers.length }, (_, i) => i))
      expect(numbers.length).toBe(223)
    })
  })
}
