import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { IdRoute } from '../../src/fronts/http/id-routes.ts'
import { Lane } from '../../src/fronts/http/lane.ts'
import { takeConnections } from '../../src/fronts/http/node-http.ts'
import { jsonHeaders, type Reply } from '../../src/fronts/http/reply.ts'
import { until } from '../support/until.ts'

const REQUEST = 'GET /new HTTP/1.1\r\nHost: a\r\n\r\n'

interface Bench {
  readonly lane: Lane
  readonly server: Server
  readonly client: Socket
  /** What the client has read. */
  readonly read: () => string
  /** Targets that reached node:http. */
  readonly byNodeHttp: readonly string[]
}

/** A lane with one route before a server of node:http that answers 204, and a client of it. */
async function start(route: IdRoute, keepAliveMs = 60_000): Promise<Bench> {
  const byNodeHttp: string[] = []
  const server = createServer((request, response) => {
    byNodeHttp.push(request.url as string)
    response.writeHead(204).end()
  })
  const toNodeHttp = takeConnections(server)
  const lane = new Lane({ routes: new Map([['/new', route]]), toNodeHttp, keepAliveMs })
  server.on('connection', (socket) => lane.accept(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  let text = ''
  client.on('data', (chunk: Buffer) => {
    text += chunk
  })
  client.on('error', () => client.destroy())
  onTestFinished(async () => {
    client.destroy()
    lane.cut()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { lane, server, client, read: () => text, byNodeHttp }
}

function reply(body: string): Reply {
  return { status: 200, headers: jsonHeaders, body }
}

describe('a connection on the express lane', () => {
  it('is node:http’s from its first other request on', async () => {
    let ids = 0
    const { client, read, byNodeHttp } = await start(() => reply(String(++ids)))
    client.write(REQUEST)
    await until(5_000, () => read().endsWith('\r\n\r\n1'))
    expect(byNodeHttp).toEqual([])

    client.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(5_000, () => read().includes('204'))
    client.write(REQUEST)
    await until(5_000, () => byNodeHttp.length === 2)
    expect(byNodeHttp).toEqual(['/livez', '/new'])
    expect(ids).toBe(1)
  })

  it('I5: keeps the order of requests while one waits for an id', async () => {
    const settle: ((reply: Reply) => void)[] = []
    let asked = 0
    const { client, read } = await start(() => {
      asked++
      return asked === 2 ? new Promise((resolve) => settle.push(resolve)) : reply(`id${asked};`)
    })
    client.write(REQUEST.repeat(4))
    await until(5_000, () => settle.length === 1)
    expect(asked).toBe(2)
    settle[0]?.(reply('late;'))
    await until(5_000, () => read().includes('id4;'))
    expect(read().match(/id\d;|late;/g)).toEqual(['id1;', 'late;', 'id3;', 'id4;'])
  })

  it('loses an id, and nothing else, where the client left before it came', async () => {
    const settle: ((reply: Reply) => void)[] = []
    const { client, server } = await start(() => new Promise((resolve) => settle.push(resolve)))
    client.write(REQUEST)
    await until(5_000, () => settle.length === 1)
    client.resetAndDestroy()
    settle[0]?.(reply('late'))
    await until(5_000, async () => (await connections(server)) === 0)
  })

  it('is ended by a drain when it is idle, and behind its answer when it waits', async () => {
    const settle: ((reply: Reply) => void)[] = []
    const waiting = await start(() => new Promise((resolve) => settle.push(resolve)))
    waiting.client.write(REQUEST + REQUEST)
    await until(5_000, () => settle.length === 1)
    const idle = connect((waiting.server.address() as AddressInfo).port, '127.0.0.1')
    await once(idle, 'connect')
    await until(5_000, async () => (await connections(waiting.server)) === 2)

    waiting.lane.drain()
    idle.resume()
    await once(idle, 'end')
    settle[0]?.(reply('last'))
    await once(waiting.client, 'end')
    expect(waiting.read()).toContain('\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast')
    expect(settle.length).toBe(1)
  })

  it('I9: is not read from while its client does not read', async () => {
    let answered = 0
    const { client } = await start(() => {
      answered++
      return reply('x'.repeat(1_000))
    })
    client.pause()
    const packet = REQUEST.repeat(100)
    let isOpen = true
    // Until nothing moves any more: buffers of both sides are full.
    for (let before = -1; before !== answered || isOpen; ) {
      before = answered
      isOpen = client.write(packet)
      await sleep(isOpen ? 0 : 200)
      if (answered * 1_000 > 100_000_000) break
    }
    expect(answered * 1_000).toBeLessThan(30_000_000)
    client.resume()
    await until(10_000, () => client.writableLength === 0)
  })

  it('is ended when nothing was sent for the time that clients have for headers, and when idle', async () => {
    const silent = await start(() => reply('1'))
    const idle = await start(() => reply('1'), 1_000)
    idle.client.write(REQUEST)
    await once(idle.client, 'end')
    expect(idle.read()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n1$/s)
    await once(silent.client, 'end')
    expect(silent.read()).toBe('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
  })
})

function connections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
}
