import { describe, expect, it } from 'vitest'
import { LeaseBuffer } from '../../src/core/lease-buffer.ts'

describe('lease buffer', () => {
  it('serves a lease to its last id and then is empty', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 100n, end: 103n })
    expect([buffer.take(), buffer.take(), buffer.take(), buffer.take()]).toEqual([100, 101, 102, undefined])
    expect(buffer.left).toBe(0)
  })

  it('goes on with the leases fetched ahead, in order', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 1n, end: 3n })
    buffer.install({ start: 10n, end: 12n })
    expect(buffer.left).toBe(4)
    expect(buffer.takeMany(4)).toEqual([1, 2, 10, 11])
    buffer.install({ start: 20n, end: 21n })
    expect([buffer.take(), buffer.take()]).toEqual([20, undefined])
  })

  it('I6: passes 2^53 without rounding, from numbers to bigints', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 9007199254740990n, end: 9007199254740994n })
    expect(buffer.left).toBe(4)
    expect(buffer.takeMany(4)).toEqual([
      9007199254740990,
      9007199254740991,
      9007199254740992n,
      9007199254740993n,
    ])
  })

  it('I6: serves the last id of the id space exactly', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 9223372036854775806n, end: 9223372036854775808n })
    expect(buffer.takeMany(2).map(String)).toEqual(['9223372036854775806', '9223372036854775807'])
    expect(buffer.take()).toBeUndefined()
  })

  it('is empty after a discard, and serves what comes next', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 1n, end: 5n })
    buffer.install({ start: 5n, end: 9n })
    buffer.take()
    buffer.discard()
    expect([buffer.left, buffer.take()]).toEqual([0, undefined])
    buffer.install({ start: 20n, end: 21n })
    expect(buffer.take()).toBe(20)
  })
})
