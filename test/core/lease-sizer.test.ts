import { describe, expect, it } from 'vitest'
import { LeaseSizer } from '../../src/core/lease-sizer.ts'

const sizing = { leaseTargetMs: 1000, leaseIdsMax: 1600 }

/** The sizes asked for when every grant is exactly what was asked for and lasts `lastMs`. */
function sizes(lastMs: number, rounds: number, granted: number): number[] {
  const sizer = new LeaseSizer(sizing)
  const asked: number[] = []
  sizer.granted(0, granted)
  for (let round = 1; round <= rounds; round++) {
    const ids = sizer.next(round * lastMs, 0)
    asked.push(ids)
    sizer.granted(round * lastMs, ids)
  }
  return asked
}

describe('lease sizer', () => {
  it.each([
    [
      'doubles, up to the maximum, while grants last less than the target',
      999,
      100,
      [200, 400, 800, 1600, 1600],
    ],
    ['stays while they last one to four targets', 1000, 100, [100, 100, 100, 100, 100]],
    ['stays at four targets', 4000, 100, [100, 100, 100, 100, 100]],
    ['halves, down to one, when they last longer', 4001, 10, [5, 2, 1, 1, 1]],
  ])('%s', (_name, lastMs, granted, expected) => {
    expect(sizes(lastMs, 5, granted)).toEqual(expected)
  })

  it('asks for one id at first, so that the store grants one step', () => {
    expect(new LeaseSizer(sizing).next(0, 0)).toBe(1)
  })

  it('asks for what requests wait for, up to the maximum', () => {
    const sizer = new LeaseSizer(sizing)
    expect([sizer.next(0, 700), sizer.next(0, 5000)]).toEqual([700, 1600])
  })

  it('fetches ahead at half of the last grant', () => {
    const sizer = new LeaseSizer(sizing)
    sizer.granted(0, 100)
    expect(sizer.lowWater).toBe(50)
  })
})
