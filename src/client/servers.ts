import { PAUSE_MS_MAX, PAUSE_MS_MIN, RETRY_AFTER_MS_MAX } from './limits.ts'

/** One of the servers, and how long it is left alone after a failure. */
export interface Server {
  /** Where it is asked for ids; the number of them is appended. */
  readonly target: string
  pauseMs: number
  pausedUntilMs: number
}

/** The servers, which are asked in turn. A failed one is left alone, for longer after each failure in a row. */
export class Servers {
  readonly #servers: readonly Server[]
  #turn: number

  /** Throws TypeError for what is not a URL of HTTP, and for an empty list. */
  constructor(urls: readonly string[], sequence: string | undefined) {
    if (urls.length === 0) throw new TypeError('servers is empty: name at least one, http://127.0.0.1:8000')
    this.#servers = urls.map((url) => ({
      target: targetOf(url, sequence),
      pauseMs: 0,
      pausedUntilMs: Number.NEGATIVE_INFINITY,
    }))
    // Clients that start together begin with different servers.
    this.#turn = Math.floor(Math.random() * urls.length)
  }

  /** The next one in turn that is not left alone, if there is any. */
  next(nowMs: number): Server | undefined {
    for (let i = 0; i < this.#servers.length; i++) {
      const server = this.#servers[this.#turn++ % this.#servers.length] as Server
      if (server.pausedUntilMs <= nowMs) return server
    }
    return undefined
  }

  /** When the first of them may be asked again. */
  get readyMs(): number {
    return Math.min(...this.#servers.map(({ pausedUntilMs }) => pausedUntilMs))
  }

  succeeded(server: Server): void {
    server.pauseMs = 0
  }

  /** Leaves a server alone, for `retryAfterMs` at least. */
  failed(server: Server, nowMs: number, retryAfterMs: number): void {
    server.pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, server.pauseMs * 2))
    // Clients that saw the same failure come back at different times.
    const pauseMs = server.pauseMs * (0.5 + Math.random() / 2)
    server.pausedUntilMs = nowMs + Math.max(pauseMs, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX))
  }
}

function targetOf(url: string, sequence: string | undefined): string {
  if (!isAddress(url))
    throw new TypeError(`not the address of a server, like http://127.0.0.1:8000: ${JSON.stringify(url)}`)
  const path = sequence === undefined ? '/new?' : `/alloc?app_tag=${encodeURIComponent(sequence)}&`
  return `${url.replace(/\/+$/, '')}${path}format=text&count=`
}

/** A URL that ids can be asked for with: `127.0.0.1:8000` is none, and `localhost:8000` is one of the scheme `localhost`. */
function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && search === '' && hash === ''
}
