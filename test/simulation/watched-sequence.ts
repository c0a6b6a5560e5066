import type { SequenceError } from '../../src/core/errors.ts'
import { FIRST_BIGINT_ID, type Id } from '../../src/core/id.ts'
import { Sequence, type SequenceEvent, type SequenceOptions } from '../../src/core/sequence.ts'
import type { Coverage } from './coverage.ts'
import type { Holding, Witness } from './witness.ts'

export interface Watch {
  readonly witness: Witness
  readonly holding: Holding
  readonly coverage: Coverage
}

type State = 'idle' | 'leasing' | 'retrying' | 'closed'

/** A request that waits. Those of one kind are served in the order of their arrival. */
interface Request {
  readonly kind: string
  readonly arrival: number
}

/**
 * A `Sequence` whose requests, ids and transitions are watched from outside: by what it asks of its source, by its events and
 * by what it tells of its buffer.
 */
export class WatchedSequence extends Sequence {
  readonly #watch: Watch
  readonly #options: SequenceOptions
  readonly #mirror: Mirror
  #arrivals = 0
  readonly #served = new Map<string, number>()
  #servedLast = 0

  constructor(options: SequenceOptions, watch: Watch) {
    const mirror = new Mirror(watch)
    super({
      ...options,
      source: mirror.source(watch.witness.watch(options.source, watch.holding)),
      observe: (event) => {
        mirror.observed(event, options.clock.now())
        options.observe(event)
      },
    })
    mirror.sequence = this
    this.#mirror = mirror
    this.#watch = watch
    this.#options = options
  }

  override take(): Id | Promise<Id> {
    const held = this.left
    const leftInLease = this.leftInLease
    const taken = super.take()
    if (typeof taken === 'object') return this.#wait(taken, 'one', held > 0, (id) => this.serve(id, true))
    const step =
      leftInLease > 1
        ? 'take, and the lease goes on'
        : held > 1
          ? 'take the last of a lease, and serve the next'
          : 'take the last id'
    this.#watch.coverage.took(`buffer: ${step}`)
    this.serve(taken, false)
    return taken
  }

  /** Takes ids out of the buffer that nobody has asked for yet. */
  protected hoard(count: number): Id[] {
    return super.takeMany(count) as Id[]
  }

  override takeMany(count: number): Id[] | Promise<Id[]> {
    const held = this.left
    const leftInLease = this.leftInLease
    const taken = super.takeMany(count)
    const serve = (ids: readonly Id[], waited: boolean) => {
      for (const id of ids) this.serve(id, waited)
      if (typeof ids[0] === 'number' && typeof ids.at(-1) === 'bigint')
        this.#watch.coverage.took('buffer: take from numbers to bigints')
    }
    if (!Array.isArray(taken))
      return this.#wait(taken, `many ${count}`, held >= count, (ids) => serve(ids, true))
    if (count > leftInLease) this.#watch.coverage.took('buffer: take many over several leases')
    serve(taken, false)
    return taken
  }

  override takeRow(count: number): Id | Promise<Id> {
    const { leftInLease } = this
    const taken = super.takeRow(count)
    const serve = (first: Id, waited: boolean) => {
      for (let i = 0; i < count; i++)
        this.serve(typeof first === 'bigint' ? first + BigInt(i) : first + i, waited)
      if (typeof first === 'number' && first + count > FIRST_BIGINT_ID)
        this.#watch.witness.violated(`I6: a row from ${first} passes 2^53`)
    }
    if (typeof taken === 'object') {
      const isHeld = leftInLease >= count && count <= this.#options.limits.leaseIdsMax
      return this.#wait(taken, `row ${count}`, isHeld, (first) => serve(first, true))
    }
    this.#watch.coverage.took(
      leftInLease >= count
        ? 'buffer: take a row of the lease that is served'
        : 'buffer: take a row of a lease ahead, past a gap',
    )
    serve(taken, false)
    return taken
  }

  override renew(): void {
    if (this.#mirror.state !== 'closed' && this.left > 0)
      this.#watch.coverage.took('buffer: discard at a renewal')
    this.#watch.holding.throwAway(this.#options.clock.now())
    this.#mirror.renewing(() => super.renew())
  }

  override close(reason?: SequenceError): void {
    if (this.left > 0) this.#watch.coverage.took('buffer: discard at the close')
    this.#mirror.closed()
    super.close(reason)
  }

  /** Notes that an id is given away. */
  protected serve(id: Id, waited: boolean): void {
    this.#watch.witness.serve(this.#watch.holding, id, waited)
  }

  async #wait<T>(promise: Promise<T>, kind: string, isHeld: boolean, serve: (taken: T) => void): Promise<T> {
    const { witness, coverage, holding } = this.#watch
    const { clock, limits } = this.#options
    if (isHeld) witness.violated(`I8: ${holding.instance} lets a request wait although it holds its ids`)
    const request = { kind, arrival: ++this.#arrivals }
    const sinceMs = clock.now()
    const waits = this.waiting
    try {
      const taken = await promise
      this.#servedInOrder(request)
      serve(taken)
      return taken
    } catch (error) {
      coverage.took(`waiter: ${this.#failure(error as SequenceError, clock.now() - sinceMs, waits)}`)
      throw error
    } finally {
      if (clock.now() - sinceMs > limits.waitMsMax + 1e-6)
        witness.violated(`I8: ${holding.instance} let a request wait ${clock.now() - sinceMs} ms`)
    }
  }

  #servedInOrder({ kind, arrival }: Request): void {
    const { coverage, witness, holding } = this.#watch
    coverage.took('waiter: served')
    if (arrival < this.#servedLast) coverage.took('waiter: overtaken by a smaller request')
    if (arrival < (this.#served.get(kind) ?? 0))
      witness.violated(`I8: ${holding.instance} served a request (${kind}) before an older one`)
    this.#served.set(kind, arrival)
    this.#servedLast = Math.max(this.#servedLast, arrival)
  }

  #failure({ code }: SequenceError, waitedMs: number, waits: number) {
    if (code === 'TOO_MANY_WAITERS') return 'turned away, TOO_MANY_WAITERS'
    if (code === 'BAD_REQUEST') return 'turned away, a row that no grant may hold'
    if (code === 'WAIT_TIMEOUT') return 'WAIT_TIMEOUT at its deadline'
    if (this.#mirror.state === 'closed') return 'failed by the close'
    if (waits === 0 || waitedMs === 0) return 'turned away by a fault'
    return waitedMs >= this.#options.limits.waitMsMax - 1e-6
      ? 'the fault at its deadline'
      : 'failed by a refusal'
  }
}

/** The state of a sequence as its doc comment names it. */
class Mirror {
  state: State = 'idle'
  sequence: Sequence | undefined
  readonly #watch: Watch
  readonly #coverage: Coverage
  #isRenewing = false
  /** It was renewed since it asked. */
  #isStale = false
  #wasStale = false
  #justLeased = false

  constructor(watch: Watch) {
    this.#watch = watch
    this.#coverage = watch.coverage
  }

  source(source: SequenceOptions['source']): SequenceOptions['source'] {
    return {
      lease: async (ids, seenEnd) => {
        this.#asked()
        try {
          const leases = await source.lease(ids, seenEnd)
          this.#answered('gets', 'a grant')
          return leases
        } catch (error) {
          this.#answered('fails', 'a failure')
          throw error
        }
      },
    }
  }

  observed(event: SequenceEvent, nowMs: number): void {
    const sequence = this.sequence as Sequence
    const { witness, holding } = this.#watch
    if (event.type === 'leased') {
      holding.install()
      if (this.#wasStale) witness.violated(`${holding.instance} takes a grant from before a renewal`)
      this.state = 'idle'
      this.#coverage.took('sequence: leasing → idle')
      this.#installed(event, sequence.left - event.ids)
      this.#justLeased = true
      queueMicrotask(() => {
        this.#justLeased = false
      })
      return
    }
    const { code } = event.error
    if (code === 'UNKNOWN_SEQUENCE') {
      this.#coverage.took('sequence: leasing → closed by who observes, UNKNOWN_SEQUENCE')
      return
    }
    this.state = 'retrying'
    if (
      code === 'STORE_UNAVAILABLE' ||
      code === 'REGRESSED' ||
      code === 'EXHAUSTED' ||
      code === 'STEP_MISMATCH'
    )
      this.#coverage.took(`sequence: leasing → retrying, ${code}`)
    if (code !== 'REGRESSED') return
    this.#coverage.took('I3: refused for what the instance has seen, or for what is on record')
    if (
      holding.grants.some(
        ({ end, thrownAwayAtMs }) => thrownAwayAtMs === undefined && end > BigInt(holding.last) + 1n,
      )
    )
      this.#coverage.took('buffer: discard at a refusal')
    holding.throwAway(nowMs)
  }

  renewing(renew: () => void): void {
    if (this.state === 'closed') this.#coverage.took('sequence: closed, and renewed in vain')
    if (this.state === 'leasing') this.#isStale = true
    this.#isRenewing = true
    renew()
    this.#isRenewing = false
  }

  closed(): void {
    if (this.state !== 'closed') this.#coverage.took(`sequence: ${this.state} → closed`)
    this.state = 'closed'
  }

  #asked(): void {
    const { state } = this
    this.state = 'leasing'
    if (state === 'leasing') return
    if (state === 'retrying')
      this.#coverage.took(
        this.#isRenewing
          ? 'sequence: retrying → leasing, at a renewal'
          : 'sequence: retrying → leasing, after the pause',
      )
    else if (this.#isRenewing) this.#coverage.took('sequence: idle → leasing, at a renewal')
    else if (this.#justLeased) this.#coverage.took('sequence: leasing → idle → leasing at once')
    else if ((this.sequence as Sequence).waiting > 0)
      this.#coverage.took('sequence: idle → leasing, for a request that waits')
    else this.#coverage.took('sequence: idle → leasing, to fetch ahead')
  }

  #answered(verb: 'gets' | 'fails', what: 'a grant' | 'a failure'): void {
    if (this.state === 'closed') this.#coverage.took(`sequence: closed, and ${what} comes too late`)
    else if (this.#isStale)
      this.#coverage.took(
        verb === 'gets'
          ? 'sequence: leasing, and what it gets is stale after a renewal'
          : 'sequence: leasing, and what fails is stale after a renewal',
      )
    this.#wasStale = this.#isStale
    this.#isStale = false
  }

  #installed({ leases }: SequenceEvent & { type: 'leased' }, leftBefore: number): void {
    this.#coverage.took(
      leftBefore === 0 ? 'buffer: install where it is empty' : 'buffer: install ahead of what is served',
    )
    if (leases.some(({ start, end }) => start < FIRST_BIGINT_ID && end > FIRST_BIGINT_ID))
      this.#coverage.took('buffer: install a lease across 2^53')
  }
}
