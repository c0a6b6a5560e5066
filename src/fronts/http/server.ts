import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { type ListenOptions, listen } from '../listen.ts'
import { createHttpApp, type HttpAppOptions } from './app.ts'
import { HEADER_BYTES_MAX, HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS, TIMEOUT_CHECK_MS } from './limits.ts'
import { failureBody, jsonHeaders } from './reply.ts'

export interface HttpFrontOptions extends HttpAppOptions, ListenOptions {
  /** Connections above this are closed as they come. */
  readonly connectionsMax: number
  /** How long an idle connection is kept: longer than a proxy in front keeps it, or the proxy meets closed ones. */
  readonly keepAliveMs: number
}

/** The HTTP front: a listening node:http server whose requests Hono answers. */
export class HttpFront {
  readonly #options: HttpFrontOptions
  readonly #server: Server

  constructor(options: HttpFrontOptions) {
    this.#options = options
    const listener = getRequestListener(createHttpApp(options).fetch, {
      errorHandler: () =>
        new Response(failureBody('malformed request target or Host'), { status: 400, headers: jsonHeaders }),
    })
    this.#server = createServer(
      {
        keepAliveTimeout: 0,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      listener,
    )
    this.#server.maxConnections = options.connectionsMax
    // A time-out of the socket itself, set once. keepAliveTimeout would set and take off one around every request.
    this.#server.timeout = options.keepAliveMs
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
    const cut = setTimeout(() => this.#server.closeAllConnections(), deadlineMs)
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    clearTimeout(cut)
  }
}

function closeBehindAnswer(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false
}
