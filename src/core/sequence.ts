import type { Clock } from './clock.ts'
import { SequenceError, shuttingDown } from './errors.ts'
import { ID_END, type Id } from './id.ts'
import type { Lease, LeaseSource } from './lease.ts'
import { LeaseBuffer } from './lease-buffer.ts'
import { LeaseSizer, type LeaseSizing } from './lease-sizer.ts'
import { REFUSED_RETRY_MS, RETRY_MS_MAX, RETRY_MS_MIN } from './limits.ts'
import { Waiters } from './waiters.ts'

export interface SequenceLimits extends LeaseSizing {
  /** Longest time that a request waits for the store. */
  readonly waitMsMax: number
  /** Most requests that may wait at once. */
  readonly waitersMax: number
}

/** What a sequence tells about itself, for logs and metrics. Never one event an id. */
export type SequenceEvent =
  | {
      readonly type: 'leased'
      readonly leases: readonly Lease[]
      readonly ids: number
      readonly tookMs: number
    }
  | { readonly type: 'lease-failed'; readonly error: SequenceError; readonly tookMs: number }

export interface SequenceOptions {
  readonly source: LeaseSource
  readonly clock: Clock
  /** Uniform in `[0, 1)`; spreads the retries of a fleet. */
  readonly random: () => number
  readonly limits: SequenceLimits
  readonly observe: (event: SequenceEvent) => void
}

/**
 * - `idle`: enough ids are held; nothing is under way.
 * - `leasing`: one lease request is in flight (I8: never two).
 * - `retrying`: the last request failed with `#fault`; a timer will ask again.
 * - `closed`: nothing is asked for or served any more.
 */
type State = 'idle' | 'leasing' | 'retrying' | 'closed'

/**
 * A stream of unique, strictly increasing ids (I5) served from leases.
 *
 * Transitions: idle → leasing when ids fall to the low-water mark; leasing → idle when a grant is installed,
 * or at once leasing again while demand exceeds it; leasing → retrying when the store fails or refuses;
 * retrying → leasing when the pause is over, or at a renewal; any → closed.
 *
 * While the store fails, held ids go on being served. When it refuses because it went backwards (I3), held ids
 * are thrown away as well, since the store may have granted them to another instance again.
 */
export class Sequence {
  readonly #source: LeaseSource
  readonly #clock: Clock
  readonly #random: () => number
  readonly #limits: SequenceLimits
  readonly #observe: (event: SequenceEvent) => void
  readonly #buffer = new LeaseBuffer()
  readonly #sizer: LeaseSizer
  readonly #waiters: Waiters

  #state: State = 'idle'
  /** The end of the greatest lease ever granted to this instance: no later one may start below it (I3). */
  #seenEnd = 0n
  /** Why the last lease request failed, or why the sequence was closed; undefined while all is well. */
  #fault: SequenceError | undefined
  #faultSinceMs = 0
  #failures = 0
  #cancelRetry: (() => void) | undefined
  /** The grant in flight was asked for before a renewal, and is to be thrown away. */
  #stale = false

  constructor(options: SequenceOptions) {
    this.#source = options.source
    this.#clock = options.clock
    this.#random = options.random
    this.#limits = options.limits
    this.#observe = options.observe
    this.#sizer = new LeaseSizer(options.limits)
    const { waitMsMax } = options.limits
    this.#waiters = new Waiters(
      options.clock,
      waitMsMax,
      () =>
        this.#fault ?? new SequenceError('WAIT_TIMEOUT', `no id within ${waitMsMax} ms: the store is slow`),
    )
  }

  /** Ids held in memory. */
  get left(): number {
    return this.#buffer.left
  }

  /** The id that it would give next of those in memory, or undefined when it holds none. */
  get next(): Id | undefined {
    return this.#buffer.next
  }

  /** Ids handed out since it was made. */
  get issued(): number {
    return this.#buffer.issued
  }

  /** How many ids the lease that it serves from held at first. */
  get leaseIds(): number {
    return this.#buffer.leaseIds
  }

  /** Ids held of that lease; the others in memory are of leases fetched ahead. */
  get leftInLease(): number {
    return this.#buffer.leftInLease
  }

  /** Requests that wait for the store. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** The end of the greatest lease that it was granted, or undefined before the first. */
  get leasedTo(): bigint | undefined {
    return this.everLeased ? this.#seenEnd : undefined
  }

  /** Whether the store has ever granted it a lease. */
  get everLeased(): boolean {
    return this.#seenEnd > 0n
  }

  /** Why the store gave no lease when last asked, or undefined. */
  get fault(): SequenceError | undefined {
    return this.#fault
  }

  /** Fetches the first lease without waiting to be asked for an id. */
  warm(): void {
    if (this.#buffer.left === 0) this.#lease()
  }

  /**
   * The next id: at once while any is held, or a promise for it.
   *
   * The promise rejects with WAIT_TIMEOUT, TOO_MANY_WAITERS, STORE_UNAVAILABLE, STORE_MISCONFIGURED,
   * EXHAUSTED, REGRESSED, STEP_MISMATCH or SHUTTING_DOWN. Asking again after a rejection is safe.
   *
   * Hot path: this stays synchronous, since an await costs more than all the rest of it. It takes the id last, so that V8 need not put
   * one that is beyond 2^31 on the heap.
   */
  take(): Id | Promise<Id> {
    if (this.#buffer.left === 0) return this.#wait(1, this.#holdsAny, () => this.#buffer.take())
    if (this.#buffer.left - 1 <= this.#sizer.lowWater) this.#lease()
    return this.#buffer.take()
  }

  /**
   * The next `count` ids, all or nothing: increasing, not always consecutive, since they may span leases.
   * Rejects as `take` does.
   */
  takeMany(count: number): Id[] | Promise<Id[]> {
    const ready = () => this.#buffer.left >= count
    if (!ready()) return this.#wait(count, ready, () => this.#buffer.takeMany(count))
    const ids = this.#buffer.takeMany(count)
    if (this.#buffer.left <= this.#sizer.lowWater) this.#lease()
    return ids
  }

  /**
   * The first of `count` consecutive ids. Held ids below them become a gap. Rejects as `take` does, and with
   * BAD_REQUEST for more ids than one grant may hold.
   */
  takeRow(count: number): Id | Promise<Id> {
    const { leaseIdsMax } = this.#limits
    if (count > leaseIdsMax)
      return Promise.reject(
        new SequenceError('BAD_REQUEST', `at most ${leaseIdsMax} consecutive ids can be had`),
      )
    const ready = () => this.#buffer.holdsRow(count)
    if (!ready()) return this.#wait(count, ready, () => this.#buffer.takeRow(count))
    const first = this.#buffer.takeRow(count)
    if (this.#buffer.left <= this.#sizer.lowWater) this.#lease()
    return first
  }

  /** Resolves when it holds ids, and takes none. Rejects as `take` does. */
  async ready(): Promise<void> {
    if (!this.#holdsAny()) await this.#wait(1, this.#holdsAny, () => {})
  }

  /**
   * Throws away the ids that it holds, and those of a grant in flight, and asks the store anew, at once: after
   * somebody moved the sequence there, or lifted a refusal.
   */
  renew(): void {
    if (this.#state === 'closed') return
    this.#buffer.discard()
    if (this.#state === 'leasing') {
      this.#stale = true
      return
    }
    this.#cancelRetry?.()
    this.#state = 'idle'
    this.#lease()
  }

  /** Ends the sequence: requests that wait, and all later ones, fail with `reason`; a grant still to come is lost. */
  close(reason = shuttingDown()): void {
    this.#state = 'closed'
    this.#fault = reason
    this.#cancelRetry?.()
    this.#buffer.discard()
    this.#waiters.fail(reason)
  }

  readonly #holdsAny = () => this.#buffer.left > 0

  #wait<T>(count: number, ready: () => boolean, take: () => T): Promise<T> {
    const refusal = this.#refusalToWait()
    if (refusal !== undefined) return Promise.reject(refusal)
    const promise = this.#waiters.wait(count, ready, take)
    this.#lease()
    return promise
  }

  #refusalToWait(): SequenceError | undefined {
    if (this.#fault !== undefined && this.#hopeless(this.#fault)) return this.#fault
    if (this.#waiters.size >= this.#limits.waitersMax)
      return new SequenceError(
        'TOO_MANY_WAITERS',
        `${this.#waiters.size} requests wait for the store already; try again later`,
      )
    return undefined
  }

  /** Whether waiting is in vain: the fault needs a person, or has lasted longer than a request may wait. */
  #hopeless(fault: SequenceError): boolean {
    return (
      fault.code !== 'STORE_UNAVAILABLE' || this.#clock.now() - this.#faultSinceMs >= this.#limits.waitMsMax
    )
  }

  #lease(): void {
    if (this.#state !== 'idle') return
    this.#state = 'leasing'
    const startedMs = this.#clock.now()
    const ids = this.#sizer.next(startedMs, this.#waiters.ids)
    this.#source.lease(ids, this.#seenEnd).then(
      (leases) => this.#leased(leases, this.#clock.now() - startedMs),
      (error: unknown) => this.#failed(error, this.#clock.now() - startedMs),
    )
  }

  #leased(leases: readonly Lease[], tookMs: number): void {
    if (this.#state === 'closed') return
    if (this.#stale) {
      this.#askAnew()
      return
    }
    let ids = 0
    for (const lease of leases) {
      this.#assertRises(lease)
      this.#buffer.install(lease)
      this.#seenEnd = lease.end
      ids += Number(lease.end - lease.start)
    }
    this.#sizer.granted(this.#clock.now(), ids)
    this.#state = 'idle'
    this.#fault = undefined
    this.#failures = 0
    this.#observe({ type: 'leased', leases, ids, tookMs })
    this.#waiters.serve()
    if (this.#waiters.size > 0 || this.#buffer.left <= this.#sizer.lowWater) this.#lease()
  }

  #askAnew(): void {
    this.#stale = false
    this.#state = 'idle'
    this.#lease()
  }

  /** I3, I5: the store was told what was seen; a lease that does not lie above it is a mistake in the store's code. */
  #assertRises({ start, end }: Lease): void {
    if (start < this.#seenEnd || end <= start || end > ID_END)
      throw new RangeError(
        `the store granted [${start}, ${end}) where leases up to ${this.#seenEnd} were granted before`,
      )
  }

  #failed(error: unknown, tookMs: number): void {
    if (!(error instanceof SequenceError)) throw error
    if (this.#state === 'closed') return
    if (this.#stale) {
      this.#askAnew()
      return
    }
    const now = this.#clock.now()
    if (this.#fault === undefined) this.#faultSinceMs = now
    this.#fault = error
    if (error.code === 'REGRESSED') this.#buffer.discard()
    this.#observe({ type: 'lease-failed', error, tookMs })
    // Who observes may have closed it: a sequence that was retired elsewhere.
    if (this.#isClosed()) return
    if (this.#hopeless(error)) this.#waiters.fail(error)
    this.#state = 'retrying'
    this.#cancelRetry = this.#clock.after(this.#retryDelayMs(error), () => {
      this.#state = 'idle'
      this.#lease()
    })
    this.#failures++
  }

  /** A method, since the state changes behind the compiler's back. */
  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #retryDelayMs(error: SequenceError): number {
    if (error.code !== 'STORE_UNAVAILABLE') return REFUSED_RETRY_MS
    const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures, 10))
    return longest * (0.5 + this.#random() / 2)
  }
}
