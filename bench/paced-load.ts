import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { IdSet } from '../chaos/id-set.ts'

type Done = (ids: readonly number[]) => void

/** A client that has one request under way at most. */
export interface Client {
  /** Asks once. `done` gets the ids, or none where the request failed. */
  ask(done: Done): void
  close(): void
}

/** How requests go over a connection, and what comes back for one of them. */
export interface Wire {
  readonly request: string
  /** The ids of a whole answer, undefined while it is not whole. Throws where it is no answer with ids. */
  readonly read: (text: string) => number[] | undefined
}

export const httpWire: Wire = {
  request: 'GET /new HTTP/1.1\r\nHost: soak\r\n\r\n',
  read(text) {
    if (!text.endsWith('}}')) return undefined
    const id = /^HTTP\/1\.1 200 .*"id":(\d+)\}\}$/s.exec(text)?.[1]
    if (id === undefined) throw new Error(text)
    return [Number(id)]
  },
}

const REDIS_DEPTH = 16

export const redisWire: Wire = {
  request: 'INCR soak\r\n'.repeat(REDIS_DEPTH),
  read(text) {
    if (!text.startsWith(':')) throw new Error(text)
    const lines = text.split('\r\n')
    return lines.length === REDIS_DEPTH + 1
      ? lines.slice(0, -1).map((line) => Number(line.slice(1)))
      : undefined
  },
}

/** Connections that are kept. One that fails is not made anew: a soak has no failures. */
export function tcpClients(port: number, count: number, { request, read }: Wire): Client[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1')
    let text = ''
    let done: Done = ignore
    const answer: Done = (ids) => {
      text = ''
      done(ids)
    }
    socket.on('data', (chunk: string) => {
      text += chunk
      try {
        const ids = read(text)
        if (ids !== undefined) answer(ids)
      } catch {
        answer([])
      }
    })
    socket.on('error', () => answer([]))
    return {
      ask(callback) {
        done = callback
        socket.write(request)
      },
      close: () => void socket.destroy(),
    }
  })
}

const LOST_AFTER_MS = 2_000

/** Sockets that send and wait. */
export function udpClients(port: number, count: number): Client[] {
  const request = Buffer.from('{"action":"get","rule_name":"soak","app_name":"soak"}')
  return Array.from({ length: count }, () => {
    const socket = createSocket('udp4')
    let done: Done = ignore
    const answer: Done = (ids) => {
      const answered = done
      done = ignore
      answered(ids)
    }
    const lost = setTimeout(() => answer([]), LOST_AFTER_MS)
    socket.on('message', (reply) => {
      const { code, data } = JSON.parse(String(reply)) as { code: number; data: string }
      answer(code === 0 ? [Number(data)] : [])
    })
    const connected = new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    return {
      ask(callback) {
        done = callback
        lost.refresh()
        void connected.then(() => socket.send(request))
      },
      close() {
        clearTimeout(lost)
        socket.close()
      },
    }
  })
}

function ignore(): void {}

const TICK_MS = 5
const LATENCIES_MAX = 100_000
const FULL_SPEED_IDS_PER_MS = 1e9

/** Clients that ask as often as `pace` says, or as fast as they can, and look at each id. */
export class PacedLoad {
  readonly name: string
  ids = 0
  duplicates = 0
  failures = 0
  readonly #seen: IdSet
  readonly #clients: readonly Client[]
  readonly #idle: Client[]
  readonly #ticker: NodeJS.Timeout
  #idsPerMs = FULL_SPEED_IDS_PER_MS
  #allowance = 0
  #underWay = 0
  #atMs = performance.now()
  #latenciesMs: number[] = []
  #stopped: (() => void) | undefined

  constructor(name: string, clients: readonly Client[], seen: IdSet) {
    this.name = name
    this.#seen = seen
    this.#clients = clients
    this.#idle = [...clients]
    this.#ticker = setInterval(() => this.#ask(), TICK_MS)
  }

  /** From now on so many ids a second. */
  pace(idsPerSecond: number): void {
    this.#idsPerMs = idsPerSecond / 1000
    this.#allowance = 0
    this.#atMs = performance.now()
  }

  /** Of the requests since it was asked last. */
  takeP99Ms(): number {
    const sorted = this.#latenciesMs.sort((a, b) => a - b)
    this.#latenciesMs = []
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    await new Promise<void>((resolve) => {
      this.#stopped = resolve
      if (this.#underWay === 0) resolve()
    })
    for (const client of this.#clients) client.close()
  }

  #ask(): void {
    const nowMs = performance.now()
    // What a tick that came late has missed is not made up for: that would be a burst.
    this.#allowance = Math.min(
      this.#allowance + (nowMs - this.#atMs) * this.#idsPerMs,
      20 * TICK_MS * this.#idsPerMs,
    )
    this.#atMs = nowMs
    while (this.#allowance > 0) {
      const client = this.#idle.pop()
      if (client === undefined) return
      this.#underWay++
      client.ask((ids) => this.#answered(client, ids, nowMs))
      this.#allowance -= 1
    }
  }

  #answered(client: Client, ids: readonly number[], askedMs: number): void {
    this.#underWay--
    this.#idle.push(client)
    if (ids.length === 0) this.failures++
    // The first id of an answer was taken off when it was asked for.
    this.#allowance -= Math.max(0, ids.length - 1)
    this.ids += ids.length
    for (const id of ids) if (!this.#seen.add(id)) this.duplicates++
    if (this.#latenciesMs.length < LATENCIES_MAX) this.#latenciesMs.push(performance.now() - askedMs)
    if (this.#stopped !== undefined) {
      if (this.#underWay === 0) this.#stopped()
    } else this.#ask()
  }
}
