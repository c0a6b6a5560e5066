import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, vi } from 'vitest'
import type { IdRoute } from '../../src/fronts/http/id-routes.ts'
import { Lane } from '../../src/fronts/http/lane.ts'
import { jsonHeaders, type Reply } from '../../src/fronts/http/reply.ts'

export const PLAIN = 'GET /new HTTP/1.1\r\nHost: a\r\n\r\n'
export const OK_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\nDate: Sat, 21 Nov 2026 10:20:30 GMT\r\n'
export const KEEP_ALIVE_MS = 60_000

/** Has the tests of a file begin in the second that `OK_HEAD` tells. */
export function stopClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2026-11-21T10:20:30.250Z'), toFake: ['Date', 'setTimeout'] })
  })

  afterEach(() => {
    // The head of answers is kept for the rest of a second.
    vi.advanceTimersByTime(1_000)
    vi.useRealTimers()
  })
}

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

  push(chunk: Buffer): boolean {
    return this.emit('data', chunk)
  }

  send(text: string): void {
    this.emit('data', Buffer.from(text, 'latin1'))
  }
}

/** A lane with one route, and what it hands over: no request reaches node:http itself. */
export function open(route: IdRoute = () => reply('1')) {
  const handedOver: { connection: Connection; text: string }[] = []
  const toNodeHttp = (socket: Socket) => {
    const connection = socket as unknown as Connection
    connection.removeAllListeners('data')
    connection.on('data', (chunk: Buffer) => handedOver.push({ connection, text: chunk.toString('latin1') }))
  }
  const lane = new Lane({ routes: new Map([['/new', route]]), toNodeHttp, keepAliveMs: KEEP_ALIVE_MS })
  const connect = () => {
    const connection = new Connection()
    lane.accept(connection as unknown as Socket)
    return connection
  }
  return { lane, connect, handedOver }
}

export function reply(body: string): Reply {
  return { status: 200, headers: jsonHeaders, body }
}
