import type { Id } from '../core/id.ts'
import { LeaseSizer } from '../core/lease-sizer.ts'
import { aborted, IdClientError } from './errors.ts'
import { BATCH_IDS_MAX, BATCH_TARGET_MS, REQUEST_MS_MAX, WAIT_MS_MAX, WAITERS_MAX } from './limits.ts'
import { requestIds } from './request.ts'
import { type Server, Servers } from './servers.ts'
import { Waiters } from './waiters.ts'

export type { IdClientErrorCode } from './errors.ts'
export type { Id }
export { IdClientError }

export interface IdClientOptions {
  /** Addresses of instances on one store, or of a load balancer: `http://127.0.0.1:8000`. Asked in turn. */
  readonly servers: readonly string[]
  /** Name of a sequence that exists. Without it the ids are those of the generator, `/new`. */
  readonly sequence?: string | undefined
  /** Longest time that `next` waits for an id, in ms; 5,000 if not given. */
  readonly waitMsMax?: number | undefined
  /** Longest time for one request to one server, in ms; 2,000 if not given. */
  readonly requestMsMax?: number | undefined
}

/**
 * Hands out ids of one sequence from memory. Fetches them in batches, the next one while half of the last is left.
 * A batch has as many ids as are used in about a second: it doubles and halves with demand, between one and what
 * the servers give at once.
 *
 * No id comes twice, from however many clients. The ids of one batch increase; those of two batches may not, since
 * they may be two instances'. One client belongs to one process: it must not be part of a snapshot that is started
 * more than once.
 *
 * Between calls nothing of it keeps the process alive, but for a request that is under way.
 *
 * @example
 * const ids = new IdClient({ servers: ['http://10.0.0.1:8000', 'http://10.0.0.2:8000'], sequence: 'orders' })
 * const id = await ids.next()
 */
export class IdClient {
  readonly #servers: Servers
  readonly #waiters: Waiters
  /** Read by the sizer at each batch. */
  readonly #sizing = { leaseTargetMs: BATCH_TARGET_MS, leaseIdsMax: BATCH_IDS_MAX }
  readonly #sizer = new LeaseSizer(this.#sizing)
  readonly #requestMsMax: number
  /** Those before `#taken` were handed out. None is left while anybody waits. */
  #ids: readonly Id[] = []
  #taken = 0
  /** There is at most one request at a time. */
  #inFlight: AbortController | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #lastFailure = 'none'
  #closed = false

  /** Makes no request yet. Throws TypeError or RangeError for options that make no sense. */
  constructor({ servers, sequence, waitMsMax, requestMsMax }: IdClientOptions) {
    const waitMs = milliseconds('waitMsMax', waitMsMax ?? WAIT_MS_MAX)
    this.#requestMsMax = milliseconds('requestMsMax', requestMsMax ?? REQUEST_MS_MAX)
    this.#servers = new Servers(servers, sequence)
    this.#waiters = new Waiters(
      waitMs,
      () => new IdClientError('TIMEOUT', `no id within ${waitMs} ms; the last failure: ${this.#lastFailure}`),
    )
  }

  /**
   * The next id. Waits when none is in memory, behind those who wait already, for `waitMsMax` at most.
   *
   * Rejects with IdClientError: TIMEOUT when no server gave ids in time, UNKNOWN_SEQUENCE or BAD_REQUEST when they
   * refuse to, ABORTED with the signal, CLOSED, or TOO_MANY_WAITERS when 100,000 calls wait. Calling again is
   * always safe.
   */
  async next({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Id> {
    if (signal?.aborted) throw aborted(signal)
    const id = this.tryNext()
    if (id !== undefined) return id
    if (this.#closed) throw closed()
    if (this.#waiters.size === WAITERS_MAX)
      throw new IdClientError('TOO_MANY_WAITERS', `${WAITERS_MAX} calls wait already; ask for fewer at once`)
    const late = this.#waiters.wait(signal)
    this.#fetch()
    return late
  }

  /** The next id where one is in memory, otherwise undefined; then ids are being fetched. Hot path: synchronous. */
  tryNext(): Id | undefined {
    const id = this.#ids[this.#taken]
    if (id !== undefined) this.#taken++
    if (this.#left <= this.#sizer.lowWater) this.#fetch()
    return id
  }

  /** Rejects who waits, and every later `next`, with CLOSED, and ends the request under way. Held ids become a gap. */
  close(): void {
    this.#closed = true
    this.#ids = []
    this.#inFlight?.abort()
    clearTimeout(this.#retry)
    this.#waiters.fail(closed())
  }

  get #left(): number {
    return this.#ids.length - this.#taken
  }

  /** Asks for a batch, if one is needed and a server may be asked. Where all are left alone, waiters wait for the first. */
  #fetch(): void {
    if (this.#inFlight !== undefined || this.#closed) return
    if (this.#waiters.size === 0 && this.#left > this.#sizer.lowWater) return
    const nowMs = performance.now()
    const server = this.#servers.next(nowMs)
    if (server !== undefined) void this.#ask(server)
    else if (this.#waiters.size > 0 && this.#retry === undefined) {
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#fetch()
      }, this.#servers.readyMs - nowMs)
      // Waiters have a timer of their own, so that this one may outlive them. Only Node's can be let go of.
      ;(this.#retry as { unref?: () => void }).unref?.()
    }
  }

  async #ask(server: Server): Promise<void> {
    const request = new AbortController()
    this.#inFlight = request
    // A microtask later, all who ask in the same turn of the event loop are counted.
    await undefined
    const count = this.#sizer.next(performance.now(), this.#waiters.size)
    const late = setTimeout(
      () => request.abort(new Error(`no answer within ${this.#requestMsMax} ms`)),
      this.#requestMsMax,
    )
    const answer = await requestIds(server.target, count, request.signal)
    clearTimeout(late)
    this.#inFlight = undefined
    if (this.#closed) return
    switch (answer.kind) {
      case 'ids':
        this.#servers.succeeded(server)
        this.#sizer.granted(performance.now(), count)
        this.#install(answer.ids)
        break
      case 'too many':
        this.#sizing.leaseIdsMax = answer.countMax
        break
      case 'failed':
        this.#lastFailure = answer.why
        this.#servers.failed(server, performance.now(), answer.retryAfterMs)
        break
      case 'refused':
        this.#servers.failed(server, performance.now(), 0)
        this.#waiters.fail(answer.error)
    }
    this.#fetch()
  }

  #install(ids: readonly Id[]): void {
    this.#ids = this.#ids.slice(this.#taken).concat(ids)
    this.#taken = 0
    while (this.#waiters.size > 0 && this.#taken < this.#ids.length)
      this.#waiters.serve(this.#ids[this.#taken++] as Id)
  }
}

function closed(): IdClientError {
  return new IdClientError('CLOSED', 'this client is closed')
}

function milliseconds(name: string, value: number): number {
  // The longest time that a timer keeps: above it, it fires at once.
  if (value >= 1 && value < 2 ** 31) return value
  throw new RangeError(`${name} is a time in ms, from 1 to ${2 ** 31 - 1}, not ${value}`)
}
