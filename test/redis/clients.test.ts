import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureInstalled } from '../support/debian.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { RedisInstance } from './instance.ts'
import { MemorySegments } from './memory-segments.ts'

const run = promisify(execFile)

let segments: MemorySegments
let instance: RedisInstance

beforeEach(async () => {
  segments = new MemorySegments()
  instance = await RedisInstance.start(segments)
})

afterEach(() => instance.stop())

describe('redis-cli', () => {
  async function cli(...args: string[]): Promise<string> {
    const path = await ensureInstalled('redis-cli', 'redis-tools')
    return (await run(path, ['-p', String(instance.port), ...args])).stdout
  }

  it('makes, reads, moves and removes sequences', async () => {
    expect(await cli('set', 'order', '500')).toBe('OK\n')
    expect(await cli('get', 'order')).toBe('501\n')
    expect(await cli('--no-raw', 'get', 'order')).toBe('"502"\n')
    expect(await cli('--no-raw', 'incr', 'order')).toBe('(integer) 503\n')
    expect(await cli('--no-raw', 'get', 'nope')).toBe('(nil)\n')
    expect(await cli('--no-raw', '-3', 'get', 'nope')).toBe('(nil)\n')
    expect(await cli('mget', 'order', 'order')).toBe('504\n505\n')
    expect(await cli('set', 'order', '1', 'NX')).toContain('ERR syntax error')
    expect(await cli('del', 'order')).toBe('1\n')
    expect(await cli('ttl', 'order')).toBe(
      "ERR unknown command 'ttl', with args beginning with: 'order' \n\n",
    )
    expect(await cli('info', 'persistence')).toBe('# Persistence\r\nloading:0\r\n')
  })

  it('authenticates', async () => {
    await instance.stop()
    instance = await RedisInstance.start(segments, { password: 'secret' })
    expect(await cli('ping')).toBe('NOAUTH Authentication required.\n\n')
    expect(await cli('--no-auth-warning', '-a', 'secret', 'ping')).toBe('PONG\n')
    expect(await cli('--no-auth-warning', '-3', '-a', 'secret', 'incr', 'k')).toBe('1\n')
  })

  it('--pipe gets a reply for each of 20,000 commands', async () => {
    const path = await ensureInstalled('redis-cli', 'redis-tools')
    const child = run(path, ['-p', String(instance.port), '--pipe'])
    child.child.stdin?.end('*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n'.repeat(20_000))
    expect((await child).stdout).toContain('errors: 0, replies: 20000')
  })
})

describe('redis-benchmark', () => {
  it.each([1, 16, 64])('I1: takes ids over 50 connections, %i commands at a time', async (depth) => {
    const path = await ensureInstalled('redis-benchmark', 'redis-tools')
    const { stdout } = await run(path, [
      ...['-p', String(instance.port), '-n', '20000', '-P', String(depth)],
      ...['-t', 'ping,incr,get', '--csv'],
    ])
    expect(stdout).toMatch(/"PING_INLINE"[\s\S]*"PING_MBULK"[\s\S]*"GET"[\s\S]*"INCR"/)
    const sequence = await instance.sequences.find('counter:__rand_int__')
    // Every INCR took one id, and each id came from the store once.
    expect(await sequence.take()).toBeGreaterThan(20_000)
  })
})

describe('ioredis', () => {
  let client: Redis
  afterEach(() => client.disconnect())

  it('takes ids once it is ready, in pipelines too', async () => {
    client = new Redis(instance.port, '127.0.0.1')
    expect(await client.set('order', 500)).toBe('OK')
    expect(await client.get('order')).toBe('501')
    expect(await client.incr('order')).toBe(502)
    expect(await client.incrby('order', 10)).toBe(512)
    expect(await client.mget('order', 'nope')).toEqual(['513', null])
    expect(await client.exists('order', 'nope')).toBe(1)
    const pipeline = client.pipeline()
    for (let i = 0; i < 10_000; i++) pipeline.get('order')
    const ids = (await pipeline.exec())?.map(([, id]) => Number(id)) ?? []
    expect(new Set(ids).size).toBe(10_000)
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as number))).toBe(true)
    expect(await client.del('order')).toBe(1)
    await expect(client.set('order', 1, 'NX')).rejects.toThrow('ERR syntax error')
    expect(await client.quit()).toBe('OK')
  })

  it('I6: GET is exact beyond 2^53', async () => {
    client = new Redis(instance.port, '127.0.0.1')
    await client.set('big', '9223372036854775805')
    expect(await client.get('big')).toBe('9223372036854775806')
    expect(await client.get('big')).toBe('9223372036854775807')
    await expect(client.get('big')).rejects.toThrow('EXHAUSTED')
  })

  it('authenticates and names itself', async () => {
    await instance.stop()
    instance = await RedisInstance.start(segments, { password: 'secret' })
    client = new Redis(instance.port, '127.0.0.1', { password: 'secret', connectionName: 'orders', db: 3 })
    expect(await client.client('GETNAME')).toBe('orders')
    expect(await client.incr('k')).toBe(1)
  })

  it('I1: comes back by itself, and gets ids that it has not had', async () => {
    await instance.stop()
    const port = await freePort()
    instance = await RedisInstance.start(segments, { port })
    client = new Redis(port, '127.0.0.1', { retryStrategy: () => 10 })
    client.on('error', () => {})
    const ids = new Set<string>()
    await client.set('k', 0)
    let asked = 0
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 500; i++) {
        asked++
        ids.add(String(await client.get('k')))
      }
      await instance.stop()
      instance = await RedisInstance.start(segments, { port })
    }
    expect(ids.size).toBe(asked)
  })
})

describe.each([2, 3] as const)('node-redis with RESP%i', (RESP) => {
  function open(port: number) {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      RESP,
      socket: { reconnectStrategy: () => 10 },
    })
    client.on('error', () => {})
    return client.connect()
  }

  it('takes ids, many at a time', async () => {
    const client = await open(instance.port)
    expect(await client.set('order', 500)).toBe('OK')
    expect(await client.get('order')).toBe('501')
    expect(await client.incr('order')).toBe(502)
    expect(await client.incrBy('order', 10)).toBe(512)
    expect(await client.mGet(['order', 'nope'])).toEqual(['513', null])
    expect(await client.exists(['order', 'order', 'nope'])).toBe(2)
    expect(await client.configGet('save')).toEqual({ save: '' })
    expect(await client.ping()).toBe('PONG')
    // Asked in one turn, they leave in one packet.
    const ids = (await Promise.all(Array.from({ length: 10_000 }, () => client.get('order')))).map(Number)
    expect(new Set(ids).size).toBe(10_000)
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as number))).toBe(true)
    expect(await client.del('order')).toBe(1)
    expect(await client.get('order')).toBeNull()
    await expect(client.set('order', '1', { condition: 'NX' })).rejects.toThrow('ERR syntax error')
    await client.close()
  })

  it('I1: comes back by itself, and gets ids that it has not had', async () => {
    await instance.stop()
    const port = await freePort()
    instance = await RedisInstance.start(segments, { port })
    const client = await open(port)
    const ids = new Set<number>()
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 500; i++) ids.add(await client.incr('k'))
      await instance.stop()
      instance = await RedisInstance.start(segments, { port })
      await until(5_000, () => client.isReady)
    }
    expect(ids.size).toBe(1_500)
    client.destroy()
  })
})
