import { expect, it } from 'vitest'
import { BufferPool } from '../../src/fronts/redis/buffer-pool.ts'
import { Input } from '../../src/fronts/redis/input.ts'

function open() {
  const pool = new BufferPool(1_048_576)
  const input = new Input(pool)
  const left = () => input.bytes.toString('latin1', input.at, input.end)
  return { pool, input, left }
}

it('is the packet itself, and a copy of what is left of it', () => {
  const { input, left } = open()
  const packet = Buffer.from('GET a\r\nGET')
  input.add(packet, 10)
  expect([input.bytes, left()]).toEqual([packet, 'GET a\r\nGET'])
  input.at += 7
  input.keep()
  packet.fill('*')
  expect([left(), input.heldBytes]).toEqual(['GET', 3])
})

it('joins packets to a command that comes in parts, whatever their size', () => {
  const { input, left } = open()
  let sent = ''
  for (const size of [1, 3, 2, 100, 5, 3_000, 70_000]) {
    const packet = Buffer.alloc(size, String.fromCharCode(97 + (sent.length % 26)))
    sent += packet.toString('latin1')
    input.add(packet, size)
    input.keep()
    packet.fill('*')
    expect(left()).toBe(sent)
  }
  input.at += 73_000
  input.keep()
  expect([left(), input.heldBytes]).toEqual([sent.slice(73_000), 111])
})

it('gives its memory back once all of it is answered, or thrown away', () => {
  for (const finish of ['keep', 'clear'] as const) {
    const { pool, input } = open()
    input.add(Buffer.alloc(60_000), 60_000)
    input.keep()
    input.add(Buffer.alloc(60_000), 60_000)
    const grown = input.bytes
    expect(grown).toHaveLength(131_072)
    if (finish === 'keep') input.at = input.end
    input[finish]()
    expect([input.isEmpty, input.heldBytes]).toEqual([true, 0])
    expect(pool.take(100_000)).toBe(grown)
  }
})

it('never gives away the memory of a packet', () => {
  const { pool, input } = open()
  const packet = Buffer.alloc(65_536)
  input.add(packet, 65_536)
  input.at = input.end
  input.keep()
  expect(pool.take(65_536)).not.toBe(packet)
})

it('keeps a large part of a command in memory of the pool, and a small one in its own', () => {
  const { pool, input, left } = open()
  const packet = Buffer.alloc(60_000, 'a')
  input.add(packet, 60_000)
  input.at += 10_000
  input.keep()
  const kept = input.bytes
  expect([left(), kept.length]).toEqual(['a'.repeat(50_000), 65_536])
  input.at += 49_990
  input.keep()
  expect([left(), input.heldBytes]).toEqual(['a'.repeat(10), 10])
  expect(pool.take(50_000)).toBe(kept)
})
