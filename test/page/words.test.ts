import { describe, expect, it } from 'vitest'
import { ago, grouped, inWords, lasted, rounded, runway } from '../../src/fronts/http/page/words.ts'
import { sequenceStatus } from './sequence-status.ts'

const YEAR_S = 31_556_952

describe('numbers and times in words', () => {
  it.each([
    [0, '0'],
    [1234567, '1,234,567'],
    ['9223372036854775807', '9,223,372,036,854,775,807'],
    [2n ** 63n, '9,223,372,036,854,775,808'],
  ])('I6: groups %s as %s', (value, expected) => expect(grouped(value)).toBe(expected))

  it.each([
    [0, '0'],
    [0.4, '0.4'],
    [9.94, '9.9'],
    [12.4, '12'],
    [1234.5, '1,235'],
  ])('rounds %s to %s', (value, expected) => expect(rounded(value)).toBe(expected))

  it.each([
    [0.2, '0.2 seconds'],
    [1, '1 second'],
    [59, '59 seconds'],
    [90, '1.5 minutes'],
    [3_600, '1 hour'],
    [86_400 * 3, '3 days'],
    [YEAR_S, '1 year'],
    [YEAR_S * 999, '999 years'],
    [YEAR_S * 1_000, '1 thousand years'],
    [YEAR_S * 292_271_023, '292 million years'],
    [YEAR_S * 292_271_023_017, '292 billion years'],
  ])('%s s are %s', (seconds, expected) => expect(inWords(seconds)).toBe(expected))

  it.each([
    [-5, '0 s', '0 s ago'],
    [59_999, '59 s', '59 s ago'],
    [125_000, '2 min 5 s', '2 min ago'],
    [11_520_000, '3 h 12 min', '3 h ago'],
    [86_400_000 * 1_200 + 3_600_000, '1,200 d 1 h', '1,200 d ago'],
  ])('%s ms have lasted %s and are %s', (ms, duration, before) => {
    expect(lasted(ms)).toBe(duration)
    expect(ago(1_000_000, 1_000_000 + ms)).toBe(before)
  })
})

describe('the runway of a sequence', () => {
  it.each([
    [
      '1000',
      [1000, 1000, 1000],
      'At this rate the id space lasts 292 million years; passes 2⁵³ in 285 thousand years.',
    ],
    [
      '9007199254740992',
      [1_000_000],
      'At this rate the id space lasts 292 thousand years; past 2⁵³, so take them as strings in JavaScript.',
    ],
    // The rate is that of the last five seconds.
    [
      '9223372036854775708',
      [9_000_000, 10, 10, 10, 10, 10],
      'At this rate the id space lasts 10 seconds; past 2⁵³, so take them as strings in JavaScript.',
    ],
    ['9223372036854775807', [], 'At rest, with 1 id to go; past 2⁵³, so take them as strings in JavaScript.'],
    [
      '100',
      [0, 0, 0, 0, 0],
      'At rest, with 9,223,372,036,854,775,708 ids to go; 9,007,199,254,740,892 of them below 2⁵³.',
    ],
    [null, [], 'At rest, with 9,223,372,036,854,775,808 ids to go; 9,007,199,254,740,992 of them below 2⁵³.'],
  ])('leased to %s at %j ids a second', (leasedTo, idsPerSecond, expected) => {
    expect(runway(sequenceStatus({ leasedTo, idsPerSecond }), false)).toBe(expected)
  })

  it.each([
    [0, [], 'No ids in memory: its requests wait for the store, or fail.'],
    [0, [1000], 'No ids in memory: its requests wait for the store, or fail.'],
    [5_000, [0, 0], 'At rest, with 5,000 ids in memory.'],
    [5_000, [1000, 1000], 'At this rate the ids in memory last 5 seconds.'],
  ])('in an outage, with %s ids in memory at %j ids a second', (left, idsPerSecond, expected) => {
    expect(runway(sequenceStatus({ leasedTo: '100000', left, idsPerSecond }), true)).toBe(expected)
  })
})
