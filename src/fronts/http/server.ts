import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { FrontFigures } from '../../status/front-figures.ts'
import { type ListenOptions, listen } from '../listen.ts'
import { Tally } from '../tally.ts'
import { Watch } from '../watch.ts'
import { createHttpApp, type HttpAppOptions } from './app.ts'
import { type IdRoutesOptions, idRoutes } from './id-routes.ts'
import { Lane } from './lane.ts'
import {
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  HELD_BYTES_MAX,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_MS,
} from './limits.ts'
import { takeConnections } from './node-http.ts'
import { type PageOptions, StatusPage } from './page/page.tsx'
import { Pipelines } from './pipelines.ts'
import { failureBody, jsonHeaders } from './reply.ts'
import { WatchedSocket } from './watched-socket.ts'

export interface HttpFrontOptions
  extends Omit<HttpAppOptions, 'ids' | 'tally' | 'page'>,
    Omit<IdRoutesOptions, 'tally'>,
    PageOptions,
    ListenOptions {
  /** Connections above this are closed as they come. */
  readonly connectionsMax: number
  /** How long an idle connection is kept: longer than a proxy in front keeps it, or the proxy meets closed ones. */
  readonly keepAliveMs: number
  /** Whether plain requests for ids are answered without node:http. */
  readonly lane: boolean
}

/** Node 24.12 and later: a request without a body gets no stream for it, which is 0.15 of the time of a `/new` through Hono. */
const WITHOUT_BODY = { optimizeEmptyRequests: true }

/** The HTTP front: a listening node:http server whose requests Hono answers. */
export class HttpFront {
  readonly #options: HttpFrontOptions
  readonly #server: Server
  readonly #lane: Lane | undefined
  readonly #page: StatusPage
  readonly #tally = new Tally()
  readonly #watch = new Watch(HELD_BYTES_MAX)
  #connections = 0
  #connectionsRefused = 0

  constructor(options: HttpFrontOptions) {
    this.#options = options
    const tally = this.#tally
    const ids = idRoutes({ ...options, tally })
    const page = new StatusPage(options)
    this.#page = page
    const listener = getRequestListener(createHttpApp({ ...options, ids, tally, page }).fetch, {
      errorHandler: () =>
        new Response(failureBody('malformed request target or Host'), { status: 400, headers: jsonHeaders }),
    })
    const pipelines = new Pipelines()
    this.#server = createServer(
      {
        keepAliveTimeout: 0,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
        ...WITHOUT_BODY,
      },
      (request, response) => {
        if (pipelines.admits(request, response)) void listener(request, response)
      },
    )
    this.#server.maxConnections = options.connectionsMax
    // A time-out of the socket itself, set once. keepAliveTimeout would set and take off one around every request.
    this.#server.timeout = options.keepAliveMs
    const toNodeHttp = takeConnections(this.#server)
    if (options.lane) this.#lane = new Lane({ routes: ids, toNodeHttp, keepAliveMs: options.keepAliveMs })
    this.#server.on('connection', (socket) => {
      if (this.#lane === undefined) toNodeHttp(socket)
      else this.#lane.accept(socket)
      const watched = new WatchedSocket(socket)
      this.#watch.add(watched)
      this.#connections++
      socket.once('close', () => {
        this.#watch.delete(watched)
        this.#connections--
      })
    })
    this.#server.on('drop', () => this.#connectionsRefused++)
  }

  get figures(): FrontFigures {
    const { issued, failures } = this.#tally
    const connections = this.#connections
    return { issued, failures, connections, connectionsRefused: this.#connectionsRefused, datagrams: null }
  }

  /** Binds the port, as `listen` does. */
  listen(): Promise<AddressInfo> {
    return listen(this.#server, this.#options)
  }

  /**
   * Takes no more connections, lets open requests finish and closes each connection behind its answer. What is
   * still open after `deadlineMs` is cut. Resolves when no connection is left.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#server.prependListener('request', closeBehindAnswer)
    this.#lane?.drain()
    this.#page.close()
    const cut = setTimeout(() => {
      this.#server.closeAllConnections()
      this.#lane?.cut()
    }, deadlineMs)
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    clearTimeout(cut)
    this.#watch.close()
  }
}

function closeBehindAnswer(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false
}
