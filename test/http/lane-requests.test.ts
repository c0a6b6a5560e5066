import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IdRoute } from '../../src/fronts/http/id-routes.ts'
import { Lane } from '../../src/fronts/http/lane.ts'
import { HEADERS_TIMEOUT_MS } from '../../src/fronts/http/limits.ts'
import { jsonHeaders, type Reply, textHeaders } from '../../src/fronts/http/reply.ts'

const PLAIN = 'GET /new HTTP/1.1\r\nHost: a\r\n\r\n'
const OK_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\nDate: Sat, 21 Nov 2026 10:20:30 GMT\r\n'
const KEEP_ALIVE_MS = 60_000

/** A client's end of a connection, which is written to at once. */
class Connection extends EventEmitter {
  written = ''
  isFull = false
  isPaused = false
  isEnded = false
  isDestroyed = false
  isNoDelay = false
  timeoutMs: number | undefined

  setNoDelay(isNoDelay: boolean): void {
    this.isNoDelay = isNoDelay
  }

  setTimeout(timeoutMs: number): void {
    this.timeoutMs = timeoutMs
  }

  write(text: string, encoding: BufferEncoding): boolean {
    this.written += Buffer.from(text, encoding).toString('latin1')
    return !this.isFull
  }

  end(text = '', encoding: BufferEncoding = 'utf8'): void {
    this.written += Buffer.from(text, encoding).toString('latin1')
    this.isEnded = true
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  destroy(): void {
    this.isDestroyed = true
  }

  send(text: string): void {
    this.emit('data', Buffer.from(text, 'latin1'))
  }
}

/** A lane with one route, and what it hands over: no request reaches node:http itself. */
function open(route: IdRoute = () => reply('1')) {
  const handedOver: { connection: Connection; text: string }[] = []
  const server = createServer()
  server.removeAllListeners('connection')
  server.on('connection', (socket) => {
    const connection = socket as unknown as Connection
    connection.on('data', (chunk: Buffer) => handedOver.push({ connection, text: chunk.toString('latin1') }))
  })
  const lane = new Lane({ server, routes: new Map([['/new', route]]), keepAliveMs: KEEP_ALIVE_MS })
  const connect = () => {
    const connection = new Connection()
    server.emit('connection', connection)
    return connection
  }
  return { lane, connect, handedOver }
}

function reply(body: string): Reply {
  return { status: 200, headers: jsonHeaders, body }
}

function textReply(body: string): Reply {
  return { status: 200, headers: textHeaders, body }
}

/** A route whose replies a test gives by hand. */
function waitingRoute() {
  const settle: ((body: string) => Promise<unknown>)[] = []
  const route: IdRoute = () => {
    const { promise, resolve } = withResolvers<Reply>()
    settle.push((body) => {
      resolve(reply(body))
      return promise
    })
    return promise
  }
  return { route, settle }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}

const bodies = (text: string) => [...text.matchAll(/\r\n\r\n([^H]*)/g)].map(([, body]) => body)

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-21T10:20:30.250Z'), toFake: ['Date', 'setTimeout'] })
})

afterEach(() => {
  // The head of answers is kept for the rest of a second.
  vi.advanceTimersByTime(1_000)
  vi.useRealTimers()
})

describe('the express lane takes', () => {
  it.each([
    ['GET /new HTTP/1.1\r\nHost: a\r\n\r\n', '', undefined],
    ['GET /new? HTTP/1.1\r\nHost: a\r\n\r\n', '', undefined],
    ['GET /new?format=text&x=a.b~c_d-e HTTP/1.1\r\nHost: a\r\n\r\n', 'format=text&x=a.b~c_d-e', undefined],
    ['GET /new HTTP/1.1\r\nhOST:a\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: \t a.b-c_d0 \t\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:1000\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:59999\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:6000\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a:9999\r\n\r\n', '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n', '', '*/*'],
    ['GET /new HTTP/1.1\r\nHost: a\r\nACCEPT:  text/html \r\n\r\n', '', 'text/html'],
    ['GET /new HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n', '', undefined],
    ["GET /new HTTP/1.1\r\nHost: a\r\nUser-Agent: x (y; z)\r\nX-!#$%&'*+.^_`|~9:\r\n\r\n", '', undefined],
    ['GET /new HTTP/1.1\r\nHost: a\r\nX-Connection: close\r\nTea: trailers\r\n\r\n', '', undefined],
  ])('%j', (request, query, accept) => {
    const asked: unknown[] = []
    const { connect, handedOver } = open((...parameters) => {
      asked.push(parameters)
      return reply('1')
    })
    const connection = connect()
    connection.send(request)
    expect(asked).toEqual([[query, accept]])
    expect(connection.written).toBe(`${OK_HEAD}Connection: keep-alive\r\nContent-Length: 1\r\n\r\n1`)
    expect(handedOver).toEqual([])
  })

  it('requests of up to 2048 bytes', () => {
    const request = (bytes: number) => `GET /new HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(bytes - 35)}\r\n\r\n`
    expect(request(2_048)).toHaveLength(2_048)
    const { connect, handedOver } = open()
    // Alone, and behind another one: the limit is for each.
    connect().send(request(2_048))
    connect().send(PLAIN + request(2_048))
    expect(handedOver).toEqual([])
    connect().send(request(2_049))
    connect().send(PLAIN + request(2_049))
    expect(handedOver).toHaveLength(2)
  })
})

describe('the express lane hands over, byte for byte and with its connection,', () => {
  it.each([
    'GET /new HTTP/1.1\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n\r',
    'GET /new HTTP/1.1\nHost: a\n\n',
    'GET /new HTTP/1.0\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1x1\r\nHost: a\r\n\r\n',
    'POST /new HTTP/1.1\r\nHost: a\r\n\r\n',
    'HEAD /new HTTP/1.1\r\nHost: a\r\n\r\n',
    ' GET /new HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\nGET /new HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /other HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /NEW HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?a=%41 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?a=b+c HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new?count=2 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost:\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: A\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a/b\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: /a\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a b\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:80\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:0999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:60000\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a:599999\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: \xe9\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n',
    'GET /new HTTP/1.1\r\nHost: a\r\nAccept: a\r\nAccept: b\r\n\r\n',
    ...[
      'Connection: close',
      'Connection: upgrade',
      'CONNECTION: close',
      'Content-Length: 0',
      'Expect: 100-continue',
      'HTTP2-Settings: x',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: close',
      'TE: trailers',
      'Trailer: x',
      'Transfer-Encoding: chunked',
      'Upgrade: websocket',
      'Upgrade: keep-alive',
    ].map((header) => `GET /new HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`),
  ])('%j', (request) => {
    let asked = 0
    const { connect, handedOver } = open(() => {
      asked++
      return reply('1')
    })
    const alone = connect()
    alone.send(request)
    const behind = connect()
    behind.send(PLAIN + request)
    expect(handedOver).toEqual([
      { connection: alone, text: request },
      { connection: behind, text: PLAIN + request },
    ])
    expect([alone.written, behind.written, asked]).toEqual(['', '', 0])
  })

  it('what comes later, so that one connection is never read by both', () => {
    const { connect, handedOver, lane } = open()
    const connection = connect()
    connection.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n')
    connection.send(PLAIN)
    expect(handedOver.map(({ text }) => text)).toEqual(['GET /other HTTP/1.1\r\nHost: a\r\n\r\n', PLAIN])
    for (const event of ['drain', 'timeout', 'end', 'error']) expect(connection.listenerCount(event)).toBe(0)
    lane.drain()
    lane.cut()
    expect([connection.written, connection.isEnded, connection.isDestroyed]).toEqual(['', false, false])
  })
})

describe('answers on the express lane', () => {
  it('I1: are new for the same bytes, one for each request, in order', () => {
    let id = 0
    const { connect } = open(() => reply(String(++id)))
    const connection = connect()
    connection.send(PLAIN + PLAIN)
    connection.send(PLAIN + PLAIN)
    connection.send(PLAIN)
    connect().send(PLAIN)
    expect(bodies(connection.written)).toEqual(['1', '2', '3', '4', '5'])
    expect(id).toBe(6)
  })

  it('I9: answers up to 256 requests in a chunk, and cuts the connection of one with more', () => {
    const { connect, handedOver } = open()
    const [full, over] = [connect(), connect()]
    full.send(PLAIN.repeat(256))
    expect(bodies(full.written)).toHaveLength(256)
    expect(full.isDestroyed).toBe(false)
    over.send(PLAIN.repeat(257))
    expect([over.written, over.isDestroyed]).toEqual(['', true])
    expect(handedOver).toEqual([])
  })

  it('I1: are new for the same bytes however many they are', () => {
    let id = 0
    const { connect } = open(() => reply(String(++id)))
    const connection = connect()
    for (let i = 0; i < 2; i++) connection.send(PLAIN.repeat(200))
    connection.send(PLAIN)
    expect(bodies(connection.written)).toEqual(Array.from({ length: 401 }, (_, i) => String(i + 1)))
  })

  it.each<[string, Reply, string]>([
    [
      'text',
      { status: 200, headers: textHeaders, body: '7\n' },
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nDate: Sat, 21 Nov 2026 10:20:30 GMT\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n7\n',
    ],
    [
      'a failure with the headers of ids',
      { status: 500, headers: jsonHeaders, body: 'no' },
      'HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncache-control: no-store\r\nDate: Sat, 21 Nov 2026 10:20:30 GMT\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nno',
    ],
    [
      'a message that is not ASCII, in UTF-8',
      { status: 503, headers: { 'retry-after': '1' }, body: 'ä€' },
      'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nDate: Sat, 21 Nov 2026 10:20:30 GMT\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n\xc3\xa4\xe2\x82\xac',
    ],
  ])('have the head of their kind: %s', (_, answer, bytes) => {
    const { connect } = open(() => answer)
    const connection = connect()
    connection.send(PLAIN)
    expect(connection.written).toBe(bytes)
  })

  it('have the date of their second', () => {
    const { connect } = open()
    const dates = [0, 749, 1, 999, 1].map((passMs) => {
      vi.advanceTimersByTime(passMs)
      const connection = connect()
      connection.send(PLAIN)
      return /Date: (.*)\r/.exec(connection.written)?.[1]?.slice(-6, -4)
    })
    expect(dates).toEqual(['30', '30', '31', '31', '32'])
  })

  it('I5: come in order while one of them waits', async () => {
    let asked = 0
    const waiting = waitingRoute()
    const { connect } = open((query, accept) => {
      asked++
      return asked === 2 ? waiting.route(query, accept) : textReply(`ïd${asked};`)
    })
    const connection = connect()
    connection.send(PLAIN.repeat(4))
    expect([bodies(connection.written), asked, connection.isPaused]).toEqual([['\xc3\xafd1;'], 2, true])
    // The client has read what there was: the connection is paused for the request that waits.
    connection.emit('drain')
    expect(connection.isPaused).toBe(true)
    await waiting.settle[0]?.('late;')
    expect(bodies(connection.written)).toEqual(['\xc3\xafd1;', 'late;', '\xc3\xafd3;', '\xc3\xafd4;'])
    expect(connection.isPaused).toBe(false)
    expect(connection.written).not.toContain('close')
    connection.send(PLAIN)
    expect(bodies(connection.written).at(-1)).toBe('\xc3\xafd5;')
  })
})

describe('a connection on the express lane', () => {
  it('has little time for its first request, and may then stay idle for long', () => {
    const { connect } = open()
    const connection = connect()
    expect([connection.timeoutMs, connection.isNoDelay]).toEqual([HEADERS_TIMEOUT_MS, true])
    connection.send(PLAIN)
    expect(connection.timeoutMs).toBe(KEEP_ALIVE_MS)
  })

  it('is told of a time-out before its first request, and cut after it', () => {
    const { connect } = open()
    const [fresh, used] = [connect(), connect()]
    used.send(PLAIN)
    const { written } = used
    for (const connection of [fresh, used]) connection.emit('timeout')
    expect(fresh.written).toBe('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    expect([fresh.isEnded, fresh.isDestroyed]).toEqual([true, false])
    expect([used.written, used.isEnded, used.isDestroyed]).toEqual([written, false, true])
  })

  it('I9: is not read from while its client does not read', () => {
    const { connect } = open()
    const connection = connect()
    connection.isFull = true
    connection.send(PLAIN)
    expect(connection.isPaused).toBe(true)
    connection.isFull = false
    connection.emit('drain')
    expect(connection.isPaused).toBe(false)
    connection.send(PLAIN)
    expect(connection.isPaused).toBe(false)
  })

  it('ends when its client does, and is cut when it fails', () => {
    const { connect } = open()
    const [ended, failed] = [connect(), connect()]
    ended.emit('end')
    failed.emit('error', new Error('reset'))
    expect([ended.isEnded, ended.isDestroyed]).toEqual([true, false])
    expect([failed.isEnded, failed.isDestroyed]).toEqual([false, true])
  })

  it('is ended by a drain when it is idle, and behind the one answer that it waits for', async () => {
    const { route, settle } = waitingRoute()
    const { connect, lane } = open(route)
    const [idle, waiting] = [connect(), connect()]
    waiting.send(PLAIN + PLAIN)
    lane.drain()
    expect([idle.written, idle.isEnded, waiting.isEnded]).toEqual(['', true, false])
    await settle[0]?.('läst')
    expect(waiting.written).toBe(`${OK_HEAD}Connection: close\r\nContent-Length: 5\r\n\r\nl\xc3\xa4st`)
    expect([waiting.isEnded, waiting.isPaused, settle.length]).toEqual([true, false, 1])
    // Neither is answered any more.
    for (const connection of [idle, waiting]) connection.send(PLAIN)
    expect(settle).toHaveLength(1)
  })

  it('is cut when the time for a drain is over, unless it closed', () => {
    const { connect, lane } = open()
    const [left, closed] = [connect(), connect()]
    closed.emit('close')
    lane.cut()
    expect([left.isDestroyed, closed.isDestroyed]).toEqual([true, false])
  })
})

it('is put before a server of node:http as it comes', () => {
  const bare = createServer()
  bare.removeAllListeners('connection')
  const taken = createServer().on('connection', () => {})
  for (const server of [bare, taken])
    expect(() => new Lane({ server, routes: new Map(), keepAliveMs: 1 })).toThrow('one listener')
})
