import type { Clock } from './clock.ts'
import { SequenceError, shuttingDown, unknownSequence } from './errors.ts'
import {
  LOOKUP_NAMES_MAX,
  LOOKUPS_WAITING_MAX,
  RETRY_MS_MAX,
  UNKNOWN_NAME_MS,
  UNKNOWN_NAMES_MAX,
} from './limits.ts'
import { checkName } from './name.ts'
import type { Sequence } from './sequence.ts'
import type { SegmentStore } from './store.ts'

export interface SequencesOptions {
  readonly segments: SegmentStore
  /** Makes the sequence of a name that the store knows. It has asked for nothing yet. */
  readonly open: (name: string) => Sequence
  readonly clock: Clock
  /** Longest time that a request waits for a look-up. */
  readonly waitMsMax: number
  /** Most sequences in memory. */
  readonly sequencesMax: number
}

interface Lookup {
  readonly found: Promise<Sequence>
  readonly resolve: (sequence: Sequence) => void
  readonly reject: (error: SequenceError) => void
}

/**
 * The named sequences that this instance holds. Each is loaded when it is first asked for.
 *
 * Names that are not held are looked up in the store in batches, one query at a time, so that a flood of names
 * costs the store one small query after another and never a lease (I9).
 */
export class Sequences {
  readonly #options: SequencesOptions
  readonly #held = new Map<string, Sequence>()
  /** Names that the store did not know, and until when that is taken for true. In order of that time. */
  readonly #unknown = new Map<string, number>()
  /** Names to look up: those of the query in flight are not among them. */
  #waiting = new Map<string, Lookup>()
  #inFlight = new Map<string, Lookup>()
  #asking = false
  #fault: SequenceError | undefined
  #faultUntilMs = 0
  #droppedIssued = 0
  #closed = false

  constructor(options: SequencesOptions) {
    this.#options = options
  }

  /** The sequence of this name if it is in memory. Hot path. */
  held(name: string): Sequence | undefined {
    return this.#held.get(name)
  }

  /** All sequences in memory. */
  all(): Iterable<Sequence> {
    return this.#held.values()
  }

  get size(): number {
    return this.#held.size
  }

  /** Ids handed out by sequences that were dropped since. */
  get droppedIssued(): number {
    return this.#droppedIssued
  }

  /**
   * The sequence of this name, loaded if need be; it may hold no ids yet. Rejects with UNKNOWN_SEQUENCE,
   * BAD_REQUEST (not a name), TOO_MANY_SEQUENCES, TOO_MANY_WAITERS, WAIT_TIMEOUT or an error of the store.
   */
  async find(name: string): Promise<Sequence> {
    const held = this.#held.get(name)
    if (held !== undefined) return held
    if (this.#closed) throw shuttingDown()
    checkName(name)
    if (this.#isUnknown(name)) throw unknownSequence(name)
    if (this.#fault !== undefined && this.#options.clock.now() < this.#faultUntilMs) throw this.#fault
    return (this.#inFlight.get(name) ?? this.#waiting.get(name) ?? this.#enqueue(name)).found
  }

  /** Takes note that the sequence was made or moved: what is held of it is out of date. */
  renew(name: string): void {
    this.#unknown.delete(name)
    this.#held.get(name)?.renew()
    const lookup = this.#inFlight.get(name)
    if (lookup === undefined) return
    // The query in flight may not have seen the change: the next one will.
    this.#inFlight.delete(name)
    this.#waiting.set(name, lookup)
  }

  /** Drops a sequence that the store no longer has. Ids that were held become a gap. */
  drop(name: string): void {
    const sequence = this.#held.get(name)
    this.#held.delete(name)
    if (sequence === undefined) return
    this.#droppedIssued += sequence.issued
    sequence.close(unknownSequence(name))
  }

  /** Ends all sequences. None is opened any more, so that nothing leases for an instance that has ended. */
  close(): void {
    this.#closed = true
    const reason = shuttingDown()
    for (const sequence of this.#held.values()) sequence.close(reason)
    for (const lookup of [...this.#inFlight.values(), ...this.#waiting.values()]) lookup.reject(reason)
    this.#waiting.clear()
  }

  #isUnknown(name: string): boolean {
    const untilMs = this.#unknown.get(name)
    if (untilMs === undefined) return false
    if (this.#options.clock.now() < untilMs) return true
    this.#unknown.delete(name)
    return false
  }

  #enqueue(name: string): Lookup {
    if (this.#waiting.size >= LOOKUPS_WAITING_MAX)
      throw new SequenceError('TOO_MANY_WAITERS', 'too many names wait to be looked up; try again later')
    if (this.#held.size >= this.#options.sequencesMax)
      throw new SequenceError(
        'TOO_MANY_SEQUENCES',
        `${this.#held.size} sequences are in memory already; raise sequences_max or spread them over instances`,
      )
    const lookup = openLookup()
    const late = new SequenceError(
      'WAIT_TIMEOUT',
      `the store did not say in time whether there is a sequence ${JSON.stringify(name)}`,
    )
    const cancel = this.#options.clock.after(this.#options.waitMsMax, () => lookup.reject(late))
    lookup.found.then(cancel, cancel)
    this.#waiting.set(name, lookup)
    this.#lookUp()
    return lookup
  }

  #lookUp(): void {
    if (this.#asking || this.#waiting.size === 0) return
    this.#asking = true
    for (const [name, lookup] of this.#waiting) {
      if (this.#inFlight.size === LOOKUP_NAMES_MAX) break
      this.#inFlight.set(name, lookup)
      this.#waiting.delete(name)
    }
    this.#options.segments.existing([...this.#inFlight.keys()]).then(
      (names) => this.#lookedUp(names),
      (error: unknown) => this.#failed(error),
    )
  }

  #lookedUp(existing: ReadonlySet<string>): void {
    if (this.#closed) return
    this.#asking = false
    this.#fault = undefined
    for (const [name, { resolve, reject }] of this.#inFlight) {
      if (existing.has(name)) resolve(this.#hold(name))
      else {
        this.#rememberUnknown(name)
        reject(unknownSequence(name))
      }
    }
    this.#inFlight.clear()
    this.#lookUp()
  }

  #failed(error: unknown): void {
    if (!(error instanceof SequenceError)) throw error
    this.#asking = false
    this.#fault = error
    // While the store is out, requests fail at once and one query in this time tries again.
    this.#faultUntilMs = this.#options.clock.now() + RETRY_MS_MAX
    for (const { reject } of [...this.#inFlight.values(), ...this.#waiting.values()]) reject(error)
    this.#inFlight.clear()
    this.#waiting.clear()
  }

  #hold(name: string): Sequence {
    const sequence = this.#options.open(name)
    this.#held.set(name, sequence)
    return sequence
  }

  #rememberUnknown(name: string): void {
    this.#unknown.delete(name)
    this.#unknown.set(name, this.#options.clock.now() + UNKNOWN_NAME_MS)
    if (this.#unknown.size > UNKNOWN_NAMES_MAX)
      this.#unknown.delete(this.#unknown.keys().next().value as string)
  }
}

function openLookup(): Lookup {
  let settle: Pick<Lookup, 'resolve' | 'reject'> | undefined
  const found = new Promise<Sequence>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { found, ...(settle as unknown as Pick<Lookup, 'resolve' | 'reject'>) }
}
