import { describe, expect, it, vi } from 'vitest'
import type { IdRoute } from '../../src/fronts/http/id-routes.ts'
import { HEADERS_TIMEOUT_MS } from '../../src/fronts/http/limits.ts'
import { jsonHeaders, type Reply, textHeaders } from '../../src/fronts/http/reply.ts'
import { KEEP_ALIVE_MS, OK_HEAD, open, PLAIN, reply, stopClock } from './memory-connection.ts'

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

stopClock()

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

  it('are of what was asked for, however alike the bytes', () => {
    const { connect } = open((query) => reply(query))
    const connection = connect()
    for (const query of ['a=1', 'a=2', 'a=2', 'a=1'])
      connection.send(PLAIN.replace(' HTTP', `?${query} HTTP`))
    expect(bodies(connection.written)).toEqual(['a=1', 'a=2', 'a=2', 'a=1'])
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
