import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { copyOf, pushPieces, readInPlace } from '../read-in-place.ts'
import { acceptedFormat } from './id-request.ts'
import type { IdRoutes } from './id-routes.ts'
import { CHUNK_REQUESTS_MAX, HEADERS_TIMEOUT_MS } from './limits.ts'
import { httpPieces } from './node-http.ts'
import { jsonHeaders, type Reply } from './reply.ts'

export interface LaneOptions {
  readonly routes: IdRoutes
  /** Takes a connection that is not for the lane. */
  readonly toNodeHttp: (socket: Socket) => void
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number
}

type Ask = () => Reply | Promise<Reply>

/**
 * The express lane: answers plain requests for ids straight from the socket and hands every other connection, with
 * the bytes of its first other request, to node:http, which keeps it. It takes a request only if it is certain of it;
 * `readRequest` says which. So no connection is parsed by both, and nothing can be read in two ways.
 *
 * It exists for speed: `/new` reaches the rate of a server on bare sockets, more than twice that of node:http with Hono.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #connections = new Set<LaneConnection>()

  constructor(options: LaneOptions) {
    this.#options = options
  }

  accept(socket: Socket): void {
    const connection = new LaneConnection(socket, this.#options, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    socket.once('close', () => this.#connections.delete(connection))
  }

  /** Ends every connection of the lane, behind the answer that one may wait for. */
  drain(): void {
    for (const connection of this.#connections) connection.drain()
  }

  /** Cuts every connection of the lane. */
  cut(): void {
    for (const connection of this.#connections) connection.socket.destroy()
  }
}

/**
 * - `fresh`: nothing was read yet.
 * - `open`: requests are answered as they come.
 * - `waiting`: one request waits for an id. The socket is paused, and what came behind that request is kept.
 * - `ending`: no further request is answered.
 */
class LaneConnection {
  readonly socket: Socket
  readonly #options: LaneOptions
  readonly #leaveLane: () => void
  #state: 'fresh' | 'open' | 'waiting' | 'ending' = 'fresh'
  #isDraining = false
  /** A copy of the last chunk, and what it asked for. */
  #known: Buffer = NOTHING
  #asks: readonly Ask[] = []

  constructor(socket: Socket, options: LaneOptions, leaveLane: () => void) {
    this.socket = socket
    this.#options = options
    this.#leaveLane = leaveLane
    socket.setNoDelay(true)
    socket.setTimeout(HEADERS_TIMEOUT_MS)
    readInPlace(socket, (bytes, length) => this.#onRead(bytes, length))
    socket.on('drain', this.#onDrain)
    socket.on('timeout', this.#onTimeout)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.resume()
  }

  drain(): void {
    this.#isDraining = true
    if (this.#state !== 'waiting') this.#end('')
  }

  /**
   * Answers the requests of a chunk if all of them are plain. Otherwise none of it is answered here: what node:http does
   * with good requests before a bad one in one chunk depends on both. Hot path.
   */
  #onRead(bytes: Buffer, length: number): void {
    if (this.#state === 'ending') return
    if (this.#state === 'fresh') {
      this.#state = 'open'
      this.socket.setTimeout(this.#options.keepAliveMs)
    }
    // Clients repeat themselves: the same bytes ask for the same, and need not be read again.
    const known = this.#known
    if (length === known.length && bytes.compare(known, 0, length, 0, length) === 0) {
      this.#answer(this.#asks, 0, '')
      return
    }
    const asks = this.#read(bytes.toString('latin1', 0, length))
    if (asks === undefined) {
      this.#handOver(bytes, length)
      return
    }
    if (asks.length > CHUNK_REQUESTS_MAX) {
      this.socket.destroy()
      return
    }
    if (length <= KNOWN_BYTES_MAX) {
      this.#known = copyOf(bytes, length)
      this.#asks = asks
    }
    this.#answer(asks, 0, '')
  }

  /**
   * What each request of a chunk asks for, or undefined where the lane must not take one of them. Of too many, it is no
   * more than is needed to tell (I9): node:http would take seven times as long over them before it cuts the connection.
   */
  #read(text: string): Ask[] | undefined {
    const asks: Ask[] = []
    for (let offset = 0; offset < text.length && asks.length <= CHUNK_REQUESTS_MAX; ) {
      const request = readRequest(text, offset)
      const route = request && this.#options.routes.get(request.path)
      if (route === undefined) return undefined
      const { query, accept } = request as PlainRequest
      asks.push(() => route(query, accept))
      offset = (request as PlainRequest).end
    }
    return asks
  }

  /** Answers `asks` from the one at `index` on, in one write behind `output`, which waits to be written. */
  #answer(asks: readonly Ask[], index: number, output: string): void {
    for (let i = index; i < asks.length; i++) {
      const reply = (asks[i] as Ask)()
      if (reply instanceof Promise) {
        this.#wait(reply, output, asks, i)
        return
      }
      output += encode(reply, true)
    }
    if (this.socket.write(output, 'latin1')) return
    // A client that does not read is not read from: what it can have unread is the answers to one chunk.
    this.socket.pause()
  }

  #wait(reply: Promise<Reply>, output: string, asks: readonly Ask[], index: number): void {
    this.#state = 'waiting'
    this.socket.pause()
    if (output !== '') this.socket.write(output, 'latin1')
    reply.then((late) => {
      if (this.#isDraining) {
        this.#end(encode(late, false))
        return
      }
      this.#state = 'open'
      this.socket.resume()
      this.#answer(asks, index + 1, encode(late, true))
    })
  }

  #end(output: string): void {
    this.#state = 'ending'
    this.socket.resume()
    this.socket.end(output, 'latin1')
  }

  #handOver(bytes: Buffer, length: number): void {
    const { socket } = this
    socket.off('drain', this.#onDrain)
    socket.off('timeout', this.#onTimeout)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    this.#leaveLane()
    this.#options.toNodeHttp(socket)
    // As if it came now. By way of `unshift` it would come a tick later, and what is answered before a bad request differ.
    pushPieces(socket, bytes, length, httpPieces)
  }

  readonly #onDrain = (): void => {
    if (this.#state !== 'waiting') this.socket.resume()
  }

  /** As node:http does where nothing was sent, and where nothing is sent any more. */
  readonly #onTimeout = (): void => {
    if (this.#state === 'fresh') this.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    else this.socket.destroy()
  }

  readonly #onEnd = (): void => {
    this.socket.end()
  }

  readonly #onError = (): void => {
    this.socket.destroy()
  }
}

const NOTHING = Buffer.alloc(0)

/** Of a chunk that is remembered, with some ten times as much for what it asks for: a pipeline of 16 plain requests. */
const KNOWN_BYTES_MAX = 4_096

/** A longer request is node:http's, which has its limit for headers. */
const REQUEST_BYTES_MAX = 2_048

/**
 * A whole request of the plainest kind (RFC 9112): a target of letters that mean only themselves, HTTP/1.1, and lines
 * of a token, a colon and visible ASCII, each ended by CR LF.
 */
const REQUEST = /GET (\/[a-z]+)(?:\?([\w.~=&-]*))? HTTP\/1\.1\r\n((?:[!#$%&'*+.^`|~\w-]+:[\t -~]*\r\n)*)\r\n/y

/** Headers after which another byte may belong to this request, or another answer be wanted. */
const MEANINGFUL =
  /^(?:connection|content-length|expect|http2-settings|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/

/** What Hono's Node server takes without parsing it as a URL. */
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?$/

interface PlainRequest {
  readonly path: string
  readonly query: string
  readonly accept: string | undefined
  /** Where the next one begins. */
  readonly end: number
}

/** Reads the request that begins at `offset`, or gives undefined where anything about it is not of the plainest kind. */
function readRequest(text: string, offset: number): PlainRequest | undefined {
  REQUEST.lastIndex = offset
  const match = REQUEST.exec(text)
  if (match === null) return undefined
  const [, path = '', query = '', headers = ''] = match
  // Replies with many ids are large, and counted until they are read: by node:http's front.
  if (query.includes('count')) return undefined
  let hosts = 0
  let accept: string | undefined
  for (const line of headers.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'host') {
      hosts++
      if (!PLAIN_HOST.test(value)) return undefined
    } else if (name === 'accept') {
      if (accept !== undefined || acceptedFormat(value) !== 'json') return undefined
      accept = value
    } else if (name === 'connection' && value.toLowerCase() === 'keep-alive') {
      // What HTTP/1.1 does anyway.
    } else if (MEANINGFUL.test(name)) return undefined
  }
  const end = REQUEST.lastIndex
  return hosts === 1 && end - offset <= REQUEST_BYTES_MAX ? { path, query, accept, end } : undefined
}

/** The bytes of an answer as node:http and Hono send them, one character each. */
function encode(reply: Reply, keepAlive: boolean): string {
  const { status, headers } = reply
  if (headers === jsonHeaders && status === 200 && keepAlive)
    // The ids' own bodies are ASCII, and their head changes once a second: 0.3 µs less than all of it anew.
    return `${headOfSecond()}${reply.body.length}\r\n\r\n${reply.body}`
  const body = Buffer.from(reply.body).toString('latin1')
  return `${head(status, headers, keepAlive)}${body.length}\r\n\r\n${body}`
}

function head(status: number, headers: Reply['headers'], keepAlive: boolean): string {
  let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
  for (const [name, value] of Object.entries(headers)) lines += `${name}: ${value}\r\n`
  return `${lines}Date: ${new Date().toUTCString()}\r\nConnection: ${keepAlive ? 'keep-alive' : 'close'}\r\nContent-Length: `
}

let cachedHead: string | undefined

function headOfSecond(): string {
  if (cachedHead === undefined) {
    cachedHead = head(200, jsonHeaders, true)
    setTimeout(
      () => {
        cachedHead = undefined
      },
      1000 - (Date.now() % 1000),
    ).unref()
  }
  return cachedHead
}
