import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpPieces, takeConnections } from '../../src/fronts/http/node-http.ts'
import { until } from '../support/until.ts'

interface Client {
  read(): string
  write(text: string): void
  isClosed(): boolean
}

/** Has a server give all its connections back to node:http at once, and opens one with this request. */
async function ask(server: Server, request: string): Promise<Client> {
  server.on('connection', takeConnections(server))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return open(server, request)
}

async function open(server: Server, request: string): Promise<Client> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(async () => {
    client.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  let text = ''
  client.on('data', (chunk: Buffer) => {
    text += chunk
  })
  client.on('error', () => client.destroy())
  client.write(request)
  return { read: () => text, write: (more) => void client.write(more), isClosed: () => client.closed }
}

describe('connections given to node:http', () => {
  it('I9: no more than what is left of a piece is read behind a request that ends its connection', async () => {
    let requests = 0
    let isClosed = false
    const server = createServer(({ socket }) => {
      socket.destroy()
      if (requests++ > 0) return
      socket.on('close', () => {
        isClosed = true
      })
    })
    // In one packet on loopback, of which node:http would make all 256 requests.
    await ask(server, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(256))
    await until(5_000, () => isClosed)
    // 2,048 bytes, at 27 each.
    expect(requests).toBe(75)
  })

  it('a body of many pieces, and the requests around it, are answered in their order', async () => {
    const server = createServer((request, response) => {
      let length = 0
      request.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      request.on('end', () => response.end(`${request.method} ${length};`))
    })
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(50_000)}`
    const { read } = await ask(server, `${get}${post}${get}`)
    await until(5_000, () => read().match(/;/g)?.length === 3)
    expect(read().match(/\w+ \d+(?=;)/g)).toEqual(['GET 0', 'POST 50000', 'GET 0'])
  })

  it('parts of a body are not written over by what comes on other connections', async () => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        bodies.push(Buffer.concat(parts).toString())
        response.end()
      })
      response.writeContinue()
    })
    const post = (text: string) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n${text}`
    const [first, second] = [await ask(server, post('one')), await open(server, post('123'))]
    await until(5_000, () => first.read().includes('100 Continue') && second.read().includes('100 Continue'))
    first.write('two')
    second.write('456')
    first.write('six')
    second.write('789')
    await until(5_000, () => bodies.length === 2)
    expect(bodies.sort()).toEqual(['123456789', 'onetwosix'])
  })

  it('is refused for a server that has no listener of its own for them, or others', () => {
    const bare = createServer()
    bare.removeAllListeners('connection')
    const taken = createServer().on('connection', () => {})
    for (const server of [bare, taken]) expect(() => takeConnections(server)).toThrow('one listener')
  })

  it.each([
    ['all that is there', 'x'.repeat(2_048), 2_048],
    ['no more than 2,048 bytes of a body', 'x'.repeat(2_049), 2_048],
    ['whole requests', `${'x'.repeat(1_000)}\r\n\r\n${'x'.repeat(100)}\r\n\r\n${'x'.repeat(2_000)}`, 1_108],
    ['a request that ends with the piece', `${'x'.repeat(2_044)}\r\n\r\nx`, 2_048],
    ['a part of one that ends behind it', `${'x'.repeat(2_045)}\r\n\r\nx`, 2_048],
  ])('get at a time %s', (_what, text, end) => {
    const bytes = Buffer.from(`before${text}`)
    expect(httpPieces.end(bytes, 6, bytes.length)).toBe(6 + end)
  })

  it('I9: more than 256 requests in one packet are not looked at', async () => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests++
      response.end()
    })
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const flood = await ask(server, get.repeat(257))
    await until(5_000, () => flood.isClosed())
    expect(requests).toBe(0)
    const full = await open(server, get.repeat(256))
    await until(5_000, () => full.read().match(/ 200 /g)?.length === 256)
    expect(requests).toBe(256)
  })
})
