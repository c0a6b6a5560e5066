import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import {
  advancedTo,
  checkAgreement,
  counterLost,
  leaseCount,
  leasesOf,
  refusalFloor,
  regressed,
} from '../../src/store/generator.ts'

const AGREEMENT = { step: 100, first: 0 } as const

function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(SequenceError)
    return error
  }
  return expect.fail('threw nothing')
}

describe('leaseCount', () => {
  it.each([
    [1, 100, 1],
    [100, 100, 1],
    [101, 100, 2],
    [12_800, 100, 128],
    [12_801, 100, 128],
    [10_000_000, 1, 128],
    [1, 1_000_000_000, 1],
  ])('%i ids with step %i: %i', (ids, step, count) => {
    expect(leaseCount(ids, step, 128)).toBe(count)
  })
})

describe('leasesOf', () => {
  it('gives lease n the ids from n*step+first on', () => {
    expect(leasesOf([1n, 2n, 9n], 0n, AGREEMENT)).toEqual([
      { start: 100n, end: 200n },
      { start: 200n, end: 300n },
      { start: 900n, end: 1000n },
    ])
    expect(leasesOf([7n], 6n, { step: 3, first: 1 })).toEqual([{ start: 22n, end: 25n }])
  })

  it.each([
    ['its greatest id', [5n], 600n],
    ['an id below its greatest', [3n], 600n],
    ['the same id twice', [6n, 6n], 700n],
    ['a falling id', [8n, 7n], 900n],
  ])('I3 refuses a store that gives %s, with the floor above all it has', (_, ns, floor) => {
    expect(errorOf(() => leasesOf(ns, 5n, AGREEMENT))).toMatchObject({ code: 'REGRESSED', floor })
  })

  it('I6 ends with the id space', () => {
    const step = { step: 1, first: 0 } as const
    expect(leasesOf([9_223_372_036_854_775_807n, 9_223_372_036_854_775_808n], 0n, step)).toEqual([
      { start: 9_223_372_036_854_775_807n, end: 9_223_372_036_854_775_808n },
    ])
    expect(errorOf(() => leasesOf([9_223_372_036_854_775_808n], 0n, step))).toMatchObject({
      code: 'EXHAUSTED',
    })
  })
})

describe('checkAgreement', () => {
  it('I7 wants the same step and the same first', () => {
    checkAgreement({ step: 100n, first: 0n }, AGREEMENT)
    expect(errorOf(() => checkAgreement({ step: 1000n, first: 0n }, AGREEMENT))).toMatchObject({
      code: 'STEP_MISMATCH',
      message:
        'the instances on this store agreed on step 1000, but this one is configured with step 100. Set step to 1000',
    })
    expect(errorOf(() => checkAgreement({ step: 100n, first: 1n }, AGREEMENT))).toMatchObject({
      code: 'STEP_MISMATCH',
    })
  })
})

describe('refusalFloor', () => {
  const AGREED = { step: 100, first: 0 } as const
  it.each([
    ['nothing is seen, nothing is there', 0n, 0n, 0n, undefined],
    ['the table has what was seen', 5n, 0n, 600n, undefined],
    ['the table has more than was seen', 9n, 0n, 600n, undefined],
    ['the table has less than was seen', 4n, 0n, 600n, 600n],
    ['the table is empty', 0n, 0n, 600n, 600n],
    ['a refusal is on record', 9n, 600n, 0n, 600n],
    ['a refusal is on record, and more was seen', 9n, 600n, 700n, 700n],
    ['a refusal is on record, and less was seen', 9n, 600n, 500n, 600n],
  ])('I3: %s', (_name, maxId, floor, seenEnd, expected) => {
    expect(refusalFloor({ maxId, floor }, seenEnd, AGREED)).toBe(expected)
  })
})

describe('a refusal', () => {
  it('I3: has its floor, which an operator must pass', () => {
    expect(regressed(4n, 600n, AGREEMENT)).toMatchObject({
      code: 'REGRESSED',
      message: expect.stringContaining('ids below 600 may be in use, but it would go on from 500'),
      floor: 600n,
    })
  })

  it.each([
    [3n, 5n, 600n],
    [5n, 5n, 600n],
    [9n, 5n, 1_000n],
  ])('I3: of lease %s where %s exists has its floor above both', (n, last, floor) => {
    expect(counterLost(n, last, AGREEMENT)).toMatchObject({ code: 'REGRESSED', floor })
  })
})

describe('advancedTo', () => {
  it.each([
    ['an id past what was leased', 5n, 0n, 1n, 6n],
    ['a whole lease', 5n, 0n, 100n, 6n],
    ['an id more than a lease', 5n, 0n, 101n, 7n],
    ['past nothing', 0n, 0n, 1n, 1n],
    ['I3: past a floor', 5n, 900n, 1n, 10n],
    ['I3: past a floor within a lease', 5n, 801n, 1n, 10n],
    ['past what was leased above a floor', 12n, 900n, 1n, 13n],
    ['past a floor and a lease at once', 9n, 900n, 100n, 10n],
  ])('moves %s', (_, lastId, floor, ids, expected) => {
    expect(advancedTo(lastId, floor, ids, AGREEMENT)).toBe(expected)
  })

  it('counts leases from first on', () => {
    // Lease 9 is [901, 1001): a floor of 901 needs nothing of it.
    expect(advancedTo(0n, 901n, 1n, { step: 100, first: 1 })).toBe(10n)
    expect(advancedTo(0n, 902n, 1n, { step: 100, first: 1 })).toBe(11n)
    expect(advancedTo(0n, 0n, 1n, { step: 1, first: 1 })).toBe(1n)
  })
})
