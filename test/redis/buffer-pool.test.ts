import { expect, it } from 'vitest'
import { BufferPool } from '../../src/fronts/redis/buffer-pool.ts'

it('gives what was given back, by size', () => {
  const pool = new BufferPool(1_000_000)
  const [small, large] = [pool.take(65_536), pool.take(65_537)]
  expect([small.length, large.length]).toEqual([65_536, 131_072])
  pool.give(small)
  pool.give(large)
  expect(pool.take(100_000)).toBe(large)
  expect(pool.take(100_000)).not.toBe(large)
  expect(pool.take(40_000)).toBe(small)
})

it('I9: keeps no more than its limit', () => {
  const pool = new BufferPool(200_000)
  const [a, b] = [pool.take(131_072), pool.take(131_072)]
  pool.give(a)
  pool.give(b)
  expect(pool.take(131_072)).toBe(a)
  expect(pool.take(131_072)).not.toBe(b)
  pool.give(b)
  expect(pool.take(131_072)).toBe(b)
})

it('lets go of small ones for a large one, and not of large ones for a small one', () => {
  const pool = new BufferPool(262_144)
  const small = [pool.take(65_536), pool.take(65_536), pool.take(65_536)]
  const large = pool.take(262_144)
  for (const buffer of small) pool.give(buffer)
  pool.give(large)
  expect(pool.take(262_144)).toBe(large)
  expect(small).not.toContain(pool.take(65_536))
  pool.give(large)
  pool.give(small[0] as Buffer)
  expect(pool.take(262_144)).toBe(large)
  expect(pool.take(65_536)).not.toBe(small[0])
})
