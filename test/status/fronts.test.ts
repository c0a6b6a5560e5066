import { describe, expect, it, onTestFinished } from 'vitest'
import { UdpFront } from '../../src/fronts/udp/server.ts'
import type { FrontFigures } from '../../src/status/front-figures.ts'
import { RawClient } from '../redis/exchange.ts'
import { RedisInstance } from '../redis/instance.ts'
import { MemorySegments } from '../redis/memory-segments.ts'
import { openRules, script, writeRules } from '../rules/instance.ts'
import { until } from '../support/until.ts'
import { UdpClient } from '../udp/client.ts'

const WAIT_MS_MAX = 5_000

function counts({ failures }: FrontFigures): [code: string, times: number][] {
  return [...failures].map(([code, { times }]) => [code, times])
}

describe('figures of the Redis front', () => {
  it('every id is counted once: read one by one, repeated in a pipeline, in rows and in MGET', async () => {
    const redis = await RedisInstance.start(new MemorySegments())
    onTestFinished(() => redis.stop())
    const client = await RawClient.connect(redis.port)
    onTestFinished(() => void client.socket.destroy())
    expect(await client.ask('INCR a\r\n', 4)).toBe(':1\r\n')
    expect(redis.front.figures.issued).toBe(1)
    await client.ask('INCR a\r\n'.repeat(50), 8 * 4 + 42 * 5)
    expect(redis.front.figures.issued).toBe(51)
    await client.ask('GET a\r\n'.repeat(30), 30 * '$2\r\n52\r\n'.length)
    expect(redis.front.figures.issued).toBe(81)
    expect(await client.ask('INCRBY a 9\r\n', 5)).toBe(':90\r\n')
    expect(redis.front.figures.issued).toBe(90)
    expect(await client.ask('MGET a nobody a\r\n', 25)).toBe('*3\r\n$2\r\n91\r\n$-1\r\n$2\r\n92\r\n')
    expect(redis.front.figures.issued).toBe(92)
    expect(redis.sequences.held('a')?.issued).toBe(92)
  })

  it('commands that fail are counted by their code, connections above the limit too', async () => {
    const redis = await RedisInstance.start(new MemorySegments(), { connectionsMax: 1 })
    onTestFinished(() => redis.stop())
    const client = await RawClient.connect(redis.port)
    onTestFinished(() => void client.socket.destroy())
    await client.ask(`GET ${'x'.repeat(200)}\r\nINCR ${'x'.repeat(200)}\r\n`, 40)
    await until(WAIT_MS_MAX, () => counts(redis.front.figures)[0]?.[1] === 2)
    expect(counts(redis.front.figures)).toEqual([['BAD_REQUEST', 2]])
    const refused = await RawClient.connect(redis.port)
    await refused.ask('', 1_000)
    expect(redis.front.figures).toMatchObject({ connections: 1, connectionsRefused: 1, issued: 0 })
  })
})

it('figures of the UDP front: every datagram is answered, dropped or refused', async () => {
  const rules = openRules()
  await rules.load(await writeRules({ r: script() }))
  const front = new UdpFront({ host: '127.0.0.1', port: 0, networks: [], rules })
  const { port } = await front.listen()
  onTestFinished(() => front.drain(0))
  const client = new UdpClient(port)
  const request = { action: 'get', rule_name: 'r', app_name: 'a' }
  await client.ask(request)
  client.send('no request')
  expect(await client.ask({ ...request, app_name: 'x'.repeat(2_100) })).toMatchObject({ code: -1 })
  expect(await client.ask({ ...request, rule_name: 'nobody' })).toMatchObject({ code: -1 })
  await until(WAIT_MS_MAX, () => front.figures.datagrams?.received === 4)
  expect(front.figures).toMatchObject({
    issued: 1,
    connections: null,
    connectionsRefused: null,
    datagrams: { received: 4, dropped: 1, refused: 1 },
  })
  expect(counts(front.figures)).toEqual([
    ['BAD_REQUEST', 1],
    ['UNKNOWN_RULE', 1],
  ])
})
