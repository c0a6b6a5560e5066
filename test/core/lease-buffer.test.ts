import { describe, expect, it } from 'vitest'
import { LeaseBuffer } from '../../src/core/lease-buffer.ts'

/** I1: an empty buffer gives nothing, and says so loudly. */
function expectEmpty(buffer: LeaseBuffer): void {
  expect([buffer.left, buffer.next]).toEqual([0, undefined])
  expect(() => buffer.take()).toThrow(RangeError)
}

describe('lease buffer', () => {
  it('serves a lease to its last id and then is empty', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 100n, end: 103n })
    expect([buffer.take(), buffer.take(), buffer.take()]).toEqual([100, 101, 102])
    expectEmpty(buffer)
  })

  it('goes on with the leases fetched ahead, in order', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 1n, end: 3n })
    buffer.install({ start: 10n, end: 12n })
    expect(buffer.left).toBe(4)
    expect(buffer.takeMany(4)).toEqual([1, 2, 10, 11])
    buffer.install({ start: 20n, end: 21n })
    expect(buffer.take()).toBe(20)
    expectEmpty(buffer)
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
    expectEmpty(buffer)
  })

  it('is empty after a discard, and serves what comes next', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 1n, end: 5n })
    buffer.install({ start: 5n, end: 9n })
    buffer.take()
    buffer.discard()
    expectEmpty(buffer)
    buffer.install({ start: 20n, end: 21n })
    expect(buffer.take()).toBe(20)
  })

  it('tells what it holds and what it gave', () => {
    const buffer = new LeaseBuffer()
    const told = () => {
      const { left, issued, leaseIds, leftInLease, next } = buffer
      return { left, issued, leaseIds, leftInLease, next }
    }
    expect(told()).toEqual({ left: 0, issued: 0, leaseIds: 0, leftInLease: 0, next: undefined })
    buffer.install({ start: 1n, end: 4n })
    buffer.install({ start: 10n, end: 12n })
    expect(told()).toEqual({ left: 5, issued: 0, leaseIds: 3, leftInLease: 3, next: 1 })
    buffer.takeMany(2)
    expect(told()).toEqual({ left: 3, issued: 2, leaseIds: 3, leftInLease: 1, next: 3 })
    buffer.take()
    expect(told()).toEqual({ left: 2, issued: 3, leaseIds: 2, leftInLease: 2, next: 10 })
    buffer.discard()
    expect(told()).toEqual({ left: 0, issued: 3, leaseIds: 2, leftInLease: 0, next: undefined })
    buffer.install({ start: 9007199254740992n, end: 9007199254740995n })
    buffer.take()
    expect(told()).toEqual({ left: 2, issued: 4, leaseIds: 3, leftInLease: 2, next: 9007199254740993n })
  })

  it('goes on after a discard with the lease that it serves from, not with those ahead of it', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 1n, end: 5n })
    buffer.install({ start: 5n, end: 9n })
    buffer.discard()
    buffer.install({ start: 20n, end: 22n })
    buffer.install({ start: 30n, end: 31n })
    expect(buffer.takeMany(3)).toEqual([20, 21, 30])
    expectEmpty(buffer)
  })

  it('has no part for a lease that lies on one side of 2^53', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 9007199254740990n, end: 9007199254740992n })
    buffer.install({ start: 9007199254741000n, end: 9007199254741002n })
    expect([buffer.left, buffer.leaseIds]).toEqual([4, 2])
    expect(buffer.takeMany(4)).toEqual([
      9007199254740990,
      9007199254740991,
      9007199254741000n,
      9007199254741001n,
    ])
    expectEmpty(buffer)
  })
})

describe('rows of consecutive ids in a lease buffer', () => {
  /** Holds 1 and 2, 10 to 13, 20 to 22. */
  function open(): LeaseBuffer {
    const buffer = new LeaseBuffer()
    for (const [start, end] of [
      [1n, 3n],
      [10n, 14n],
      [20n, 23n],
    ] as const)
      buffer.install({ start, end })
    return buffer
  }

  it('are held where one lease is long enough', () => {
    const buffer = open()
    expect([2, 3, 4, 5].map((count) => buffer.holdsRow(count))).toEqual([true, true, true, false])
    buffer.takeRow(4)
    expect([2, 3, 4].map((count) => buffer.holdsRow(count))).toEqual([true, true, false])
    expect([new LeaseBuffer().holdsRow(1), open().holdsRow(1)]).toEqual([false, true])
  })

  it.each([
    [1, 1, { left: 8, issued: 1, next: 2 }],
    [2, 1, { left: 7, issued: 2, next: 10 }],
    [3, 10, { left: 4, issued: 3, next: 13 }],
    [4, 10, { left: 3, issued: 4, next: 20 }],
  ])('of %i: from %i on; what lies below is a gap and not issued', (count, first, told) => {
    const buffer = open()
    expect(buffer.takeRow(count)).toBe(first)
    expect({ left: buffer.left, issued: buffer.issued, next: buffer.next }).toEqual(told)
  })

  it('I5: skip what is left of several leases', () => {
    const buffer = open()
    buffer.take()
    buffer.install({ start: 30n, end: 40n })
    expect(buffer.takeRow(5)).toBe(30)
    expect([buffer.left, buffer.issued, buffer.take()]).toEqual([5, 6, 35])
  })

  it('I6: are exact beyond 2^53, to the last id', () => {
    const buffer = new LeaseBuffer()
    buffer.install({ start: 9223372036854775800n, end: 9223372036854775808n })
    expect(buffer.takeRow(3)).toBe(9223372036854775800n)
    expect(buffer.takeRow(5)).toBe(9223372036854775803n)
    expectEmpty(buffer)
  })
})
