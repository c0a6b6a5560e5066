import { describe, expect, it } from 'vitest'
import type { CounterDemand, CounterRow } from '../../src/core/store.ts'
import { columnsOfRow, moveCounter, rowOfColumns } from '../../src/store/counter.ts'

const KEY = { nodeOffset: 0, ruleName: 'r', appName: 'a' }

/** A demand for 10 numbers from 1 to 99 in the period from second 1000 to second 2000. */
function demand(fields: Partial<CounterDemand> = {}): CounterDemand {
  return {
    sinceSeconds: 1000,
    untilSeconds: 2000,
    seconds: 1500,
    first: 1n,
    last: 99n,
    step: 1n,
    count: 10,
    seen: undefined,
    ...fields,
  }
}

function row(counter: bigint, updateSeconds = 1400, isRefused = false): CounterRow {
  return { counter, updateSeconds, isRefused }
}

describe('a reservation', () => {
  it.each([
    ['starts at the first number where there is no row', undefined, {}, 1n, 10, row(10n, 1500)],
    ['goes on above the row', row(10n), {}, 11n, 10, row(20n, 1500)],
    ['starts at the first number in a later period', row(50n, 999), {}, 1n, 10, row(10n, 1500)],
    ['goes on in the first second of a period', row(50n, 1000), {}, 51n, 10, row(60n, 1500)],
    ['keeps a later time of the row', row(10n, 1999), {}, 11n, 10, row(20n, 1999)],
    ['starts at the first number above a row that is below it', row(0n), {}, 1n, 10, row(10n, 1500)],
    ['goes on above the first number', row(1n), {}, 2n, 10, row(11n, 1500)],
    ['starts at the first number far above a row', row(0n), { first: 50n }, 50n, 10, row(59n, 1500)],
    ['goes in steps', row(7n), { first: 1n, step: 3n }, 10n, 10, row(37n, 1500)],
    ['returns to the grid of its steps', row(8n), { first: 1n, step: 3n }, 10n, 10, row(37n, 1500)],
    ['is what is left where that is less', row(95n), {}, 96n, 4, row(99n, 1500)],
    ['is the last number', row(98n), {}, 99n, 1, row(99n, 1500)],
    ['is all that is asked for where no more is left', row(89n), {}, 90n, 10, row(99n, 1500)],
    ['ends at the last number on the grid', row(90n), { step: 4n }, 93n, 2, row(97n, 1500)],
    ['I3: knows what was seen', row(10n), { seen: 10n }, 11n, 10, row(20n, 1500)],
    ['I3: knows more than what was seen', row(11n), { seen: 10n }, 12n, 10, row(21n, 1500)],
    ['forgets a refusal with its period', row(50n, 999, true), {}, 1n, 10, row(10n, 1500)],
  ])('%s', (_, before, fields, first, count, after) => {
    expect(moveCounter(KEY, before, demand(fields))).toEqual({ outcome: { first, count }, row: after })
  })

  it.each([2000, 2001])('I10: follows a row of a later period, from second %i', (updateSeconds) => {
    expect(moveCounter(KEY, row(50n, updateSeconds), demand({ seen: 60n }))).toEqual({
      outcome: { laterSeconds: updateSeconds },
      row: undefined,
    })
  })

  it('I6: ends with the last number of the period', () => {
    expect(() => moveCounter(KEY, row(99n), demand())).toThrow(expect.objectContaining({ code: 'EXHAUSTED' }))
    expect(() => moveCounter(KEY, row(97n), demand({ step: 4n }))).toThrow(
      expect.objectContaining({ code: 'EXHAUSTED' }),
    )
  })

  it.each([
    ['the row is gone', undefined, 10n, row(10n, 1500, true)],
    ['the row is of an earlier period', row(50n, 999), 10n, row(10n, 1500, true)],
    ['the row stands below what was seen', row(9n), 10n, row(10n, 1500, true)],
    ['the row is later than this instance', row(9n, 1600), 10n, row(10n, 1600, true)],
    ['a refusal is on record, and more was seen', row(20n, 1400, true), 30n, row(30n, 1500, true)],
    ['a refusal is on record of as much as was seen', row(20n, 1400, true), 20n, undefined],
    ['a refusal is on record, and less was seen', row(20n, 1400, true), 10n, undefined],
    ['a refusal is on record, and nothing was seen', row(20n, 1400, true), undefined, undefined],
  ])('I3: is refused where %s, and the row becomes the record', (_, before, seen, after) => {
    expect(moveCounter(KEY, before, demand({ seen }))).toEqual({
      outcome: expect.objectContaining({ code: 'REGRESSED' }),
      row: after,
    })
  })
})

describe('the columns of a row', () => {
  it.each([
    ['no number yet', row(0n), [0n, 1400]],
    ['a number', row(7n), [7n, 1400]],
    ['I3: a refusal', row(7n, 1400, true), [-8n, 1400]],
    ['I3: a refusal of 0', row(0n, 1400, true), [-1n, 1400]],
  ] as const)('hold %s', (_, held, columns) => {
    expect(columnsOfRow(held)).toEqual(columns)
    expect(rowOfColumns(...(columns as [bigint, number]))).toEqual(held)
  })
})
