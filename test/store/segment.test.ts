import { describe, expect, it } from 'vitest'
import {
  advancedBy,
  floorKey,
  leaseOf,
  type Segment,
  segmentRefusalFloor,
  segmentRegressed,
  sequenceExists,
  startAbove,
} from '../../src/store/segment.ts'

const ID_END = 9_223_372_036_854_775_808n

function segment(fields: Partial<Segment>): Segment {
  return { name: 'a', maxId: 1n, step: 100n, floor: 0n, leasedEnd: 0n, ...fields }
}

describe('leaseOf', () => {
  it.each([
    ['one step', 500n, 100n, 1, 500n, 600n],
    ['one step to its last id', 500n, 100n, 100, 500n, 600n],
    ['two steps for an id more', 500n, 100n, 101, 500n, 700n],
    ['a first step without id 0', 0n, 100n, 1, 1n, 100n],
    ['a first step that holds what is asked for', 0n, 100n, 99, 1n, 100n],
    ['two first steps where id 0 would be missed', 0n, 100n, 100, 1n, 200n],
    ['a first lease of steps of one id', 0n, 1n, 1, 1n, 2n],
    ['the greatest step', 1n, 1_000_000_000n, 1, 1n, 1_000_000_001n],
    ['I6: the last id', ID_END - 1n, 100n, 1, ID_END - 1n, ID_END],
    ['I6: all to the last id', ID_END - 100n, 100n, 1, ID_END - 100n, ID_END],
  ])('is %s', (_, maxId, step, ids, start, end) => {
    expect(leaseOf(segment({ maxId, step }), ids)).toEqual({ start, end })
  })

  it('I6: is nothing past the last id', () => {
    expect(() => leaseOf(segment({ maxId: ID_END }), 1)).toThrow(
      expect.objectContaining({ code: 'EXHAUSTED' }),
    )
  })

  it.each([
    ['step', { step: 0n }],
    ['step', { step: -1n }],
    ['step', { step: 1_000_000_001n }],
    ['max_id', { maxId: -1n }],
    ['max_id', { maxId: ID_END + 1n }],
  ])('names an absurd %s: %o', (column, fields) => {
    expect(() => leaseOf(segment(fields), 1)).toThrow(
      expect.objectContaining({
        code: 'STORE_MISCONFIGURED',
        message: expect.stringContaining(`"a" in segments has ${column} `),
      }),
    )
  })
})

describe('segmentRefusalFloor', () => {
  it.each([
    ['nothing is seen or on record', {}, 0n, undefined],
    ['the row is where the last lease seen ended', { maxId: 600n }, 600n, undefined],
    ['the row is past it', { maxId: 700n }, 600n, undefined],
    ['the row is below what was seen', { maxId: 599n }, 600n, 600n],
    ['the row is where the last lease on record ended', { maxId: 600n, leasedEnd: 600n }, 0n, undefined],
    ['the row is below a lease on record', { maxId: 599n, leasedEnd: 600n }, 0n, 600n],
    ['the row is below both', { maxId: 1n, leasedEnd: 500n }, 600n, 600n],
    ['a refusal is on record', { maxId: 900n, floor: 600n }, 0n, 600n],
    ['a refusal is on record, and more was seen', { maxId: 900n, floor: 600n }, 700n, 700n],
    ['a refusal is on record, and less was seen', { maxId: 900n, floor: 600n }, 500n, 600n],
  ])('I3: %s', (_, fields, seenEnd, expected) => {
    expect(segmentRefusalFloor(segment(fields), seenEnd)).toBe(expected)
  })

  it('is told with the floor, which an operator must pass', () => {
    expect(segmentRegressed(segment({ maxId: 5n }), 600n)).toMatchObject({ code: 'REGRESSED', floor: 600n })
  })
})

describe('where a sequence stands', () => {
  it.each([
    ['where it is told to', 0n, 0n, 500n, 500n],
    ['I4: above an earlier refusal', 600n, 0n, 500n, 600n],
    ['I4: above what was leased', 0n, 700n, 500n, 700n],
    ['I4: above both', 800n, 700n, 500n, 800n],
  ])('when it is made: %s', (_, floor, leasedEnd, start, expected) => {
    expect(startAbove({ floor, leasedEnd }, start)).toBe(expected)
  })

  it.each([
    ['past its row', { maxId: 500n }, 10n, 510n],
    ['I3: past its floor', { maxId: 500n, floor: 600n }, 10n, 610n],
    ['I3: past what it leased', { maxId: 500n, leasedEnd: 700n }, 10n, 710n],
    ['I6: at most at the end of the id space', { maxId: ID_END - 5n }, 10n, ID_END],
  ])('after an operator moved it: %s', (_, fields, ids, expected) => {
    expect(advancedBy(segment(fields), ids)).toBe(expected)
  })
})

it('keeps the floors of names apart', () => {
  expect(floorKey('a')).toBe('segment.floor/a')
})

it('tells of a sequence that is there already by name', () => {
  expect(sequenceExists('a')).toMatchObject({
    code: 'SEQUENCE_EXISTS',
    message: expect.stringContaining('"a"'),
  })
})
