import { connect, createServer, type Server, type Socket } from 'node:net'

/** One client's connection and the one to the target that carries its bytes. */
interface Link {
  readonly client: Socket
  readonly target: Socket
  forgotten: boolean
}

interface Cut {
  readonly text: string
  readonly when: 'before' | 'after'
  readonly done: () => void
}

/** Looks into the bytes of one connection before they are passed on. */
export interface Inspector {
  /** Whether to reset the connection instead of passing these bytes of the client on. */
  cutsRequest(chunk: Buffer): boolean
  /** The same for bytes of the target. */
  cutsAnswer(chunk: Buffer): boolean
}

/** A TCP proxy on loopback that breaks as a network does. */
export class TcpProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  #blackHole: (() => void) | undefined
  #delayMs = 0
  #cut: Cut | undefined

  private constructor(target: { host: string; port: number }, inspect?: () => Inspector) {
    this.#server = createServer((client) => this.#link(client, connect(target), inspect?.()))
  }

  /** `inspect` makes the inspector of each connection. */
  static async start(target: { host: string; port: number }, inspect?: () => Inspector): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, inspect)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return address.port
  }

  /** Connections that are open. */
  get links(): number {
    return this.#links.size
  }

  /** Resets all connections; new ones work. */
  cut(): void {
    for (const link of this.#links) this.#reset(link)
  }

  /**
   * Resets the next connection whose client sends `text`: before the target gets it, or after the target has
   * answered it and before the client gets that answer. Resolves when that has happened.
   */
  cutAt(text: string, when: 'before' | 'after'): Promise<void> {
    return new Promise((done) => {
      this.#cut = { text, when, done }
    })
  }

  /**
   * Swallows all bytes in both directions, also of new connections, and closes nothing; until `pass`. Resolves
   * when it has swallowed something.
   */
  blackHole(): Promise<void> {
    return new Promise((resolve) => {
      this.#blackHole = resolve
    })
  }

  /** Swallows all bytes of the connections that are open, as a firewall that restarted does. New ones work. */
  forget(): void {
    for (const link of this.#links) link.forgotten = true
  }

  /** Holds every chunk back for `ms` milliseconds; until `pass`. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Forwards again. Connections that have lost bytes are reset. */
  pass(): void {
    if (this.#blackHole !== undefined) this.cut()
    this.#blackHole = undefined
    this.#delayMs = 0
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #link(client: Socket, target: Socket, inspector: Inspector | undefined): void {
    const link: Link = { client, target, forgotten: false }
    this.#links.add(link)
    let answerIsFatal: Cut | undefined
    client.on('data', (chunk) => {
      if (inspector?.cutsRequest(chunk)) return this.#reset(link)
      const cut = this.#cut
      if (cut !== undefined && chunk.includes(cut.text)) {
        this.#cut = undefined
        if (cut.when === 'before') {
          this.#reset(link)
          cut.done()
          return
        }
        answerIsFatal = cut
      }
      this.#forward(chunk, link, client, target)
    })
    target.on('data', (chunk) => {
      if (inspector?.cutsAnswer(chunk)) return this.#reset(link)
      if (answerIsFatal === undefined) return this.#forward(chunk, link, target, client)
      this.#reset(link)
      answerIsFatal.done()
    })
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('error', () => this.#reset(link))
      from.on('end', () => to.end())
      from.on('close', () => {
        this.#links.delete(link)
        to.destroy()
      })
    }
  }

  #forward(chunk: Buffer, link: Link, from: Socket, to: Socket): void {
    this.#blackHole?.()
    if (this.#blackHole !== undefined || link.forgotten) return
    if (this.#delayMs === 0) return void to.write(chunk)
    // Nothing is read meanwhile, so that no later chunk overtakes this one when the delay ends.
    from.pause()
    setTimeout(() => {
      if (!to.destroyed) to.write(chunk)
      from.resume()
    }, this.#delayMs)
  }

  #reset({ client, target }: Link): void {
    // Node leaks the handle of a socket that is reset while it says goodbye, and its event loop spins on it.
    if (client.writableEnded) client.destroy()
    else client.resetAndDestroy()
    target.destroy()
  }
}
