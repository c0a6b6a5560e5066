import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { checkAgreement, leaseCount, leasesOf, refusalFloor } from '../../src/store/generator.ts'

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
    expect(leaseCount(ids, step)).toBe(count)
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
