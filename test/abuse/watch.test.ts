import { describe, expect, it } from 'vitest'
import { ReadingDeadline } from '../../src/fronts/watch.ts'

/** Looks at [written, unread, at ms], with 7 s to read. */
function missed(looks: readonly (readonly [number, number, number])[]): boolean[] {
  const reading = new ReadingDeadline()
  return looks.map(([written, unread, nowMs]) => reading.isMissed(written, unread, nowMs, 7_000))
}

describe('a client has read what was written to it at one time 7 s later', () => {
  it.each([
    [
      'reads all of it',
      [
        [100, 100, 0],
        [100, 0, 6_000],
        [200, 200, 8_000],
        [200, 200, 14_999],
      ],
      false,
    ],
    [
      'is always behind, but reads',
      [
        [100, 50, 0],
        [200, 100, 5_000],
        [300, 100, 10_000],
        [400, 100, 15_000],
      ],
      false,
    ],
    [
      'reads nothing',
      [
        [100, 100, 0],
        [100, 100, 6_999],
        [100, 100, 7_000],
      ],
      true,
    ],
    [
      'reads a little now and then',
      [
        [100, 100, 0],
        [100, 90, 3_000],
        [100, 80, 6_000],
        [100, 70, 7_000],
      ],
      true,
    ],
    [
      'gets more meanwhile',
      [
        [100, 100, 0],
        [200, 190, 6_000],
        [300, 280, 7_000],
      ],
      true,
    ],
  ] as const)('one that %s', (_, looks, isMissed) => {
    expect(missed(looks)).toEqual(looks.map((_, i) => isMissed && i === looks.length - 1))
  })
})
