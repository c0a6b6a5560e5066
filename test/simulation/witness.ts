import { SequenceError } from '../../src/core/errors.ts'
import { FIRST_BIGINT_ID, ID_END, type Id } from '../../src/core/id.ts'
import type { Lease, LeaseSource } from '../../src/core/lease.ts'
import type { Coverage } from './coverage.ts'
import type { SimulatedDatabase } from './database.ts'
import { leasedEndOf } from './tables.ts'

export type StreamKind = 'generator' | 'segment' | 'counter'

/** A grant that an instance was told of. */
interface Grant extends Lease {
  /** What the database marks when the COMMIT takes effect. */
  readonly subject: object
  readonly world: number
  readonly order: number
  /** It starts below what was granted before a regression that nobody could have noticed then. */
  readonly isExcused: boolean
  thrownAwayAtMs: number | undefined
}

/** The ids of one sequence, or the numbers of one period of a counter, whoever serves them. */
class Stream {
  readonly kind: StreamKind
  readonly name: string
  /** Which grant each served id came from. */
  readonly served = new Map<Id, Grant>()
  /** The end of the greatest grant. */
  greatestEnd = 0n
  /** Counts regressions, and what had been granted before the last one. */
  world = 0
  horizon = 0n
  isRegressed: boolean
  /** When an instance was told of the refusal that stands, and when one was lifted or lost; 0: never. */
  refusedAt = 0
  liftedAt = 0
  /** What an instance has moved it to: it serves nothing below from then on. By its name. */
  readonly starts = new Map<string, { readonly id: bigint; readonly atMs: number }>()

  constructor(kind: StreamKind, name: string, isRegressed: boolean) {
    this.kind = kind
    this.name = name
    this.isRegressed = isRegressed
  }
}

/** What one instance has of a stream, in one life of its `Sequence` or `Counter`. */
export class Holding {
  readonly instance: string
  readonly stream: Stream
  /** The end of the greatest lease that it was granted and took: what it has seen (I3). */
  seenEnd = 0n
  /** The greatest id served, and what that was when the last lease was installed. */
  last: Id = -1
  lastBefore: Id = -1
  isAsking = false
  grants: Grant[] = []
  offered: Grant[] = []

  constructor(instance: string, stream: Stream) {
    this.instance = instance
    this.stream = stream
  }

  /** What was offered last is taken. */
  install(): void {
    this.lastBefore = this.last
    this.grants.push(...this.offered)
    this.seenEnd = this.offered.at(-1)?.end ?? this.seenEnd
    this.offered = []
  }

  throwAway(nowMs: number): void {
    for (const grant of this.grants) grant.thrownAwayAtMs ??= nowMs
  }
}

/**
 * Watches what is asked of the store and what is served, and knows what is promised (docs/guarantees.md), not more.
 *
 * A regression opens another world for the streams that it touches. There a grant below what was granted in an earlier one
 * is excused if nothing told of it: neither had the instance that asked seen more, in this life of its sequence (one
 * that starts anew, or drops a retired name, has forgotten), nor had any instance been told of a refusal that still
 * stands, nor is a lease on record that ends above it. An id is excused only where the later one of its two grants is.
 * So an instance that has seen more and asks, or anybody who asks after that, is held to I3; without a
 * regression nothing is excused, and there must be no refusal either.
 */
export class Witness {
  readonly violations: string[] = []
  issued = 0
  hash = 0x811c9dc5
  readonly #database: SimulatedDatabase
  readonly #provenance: boolean
  readonly #coverage: Coverage
  readonly #streams = new Map<string, Stream>()
  readonly #regressed = new Set<StreamKind>()
  #order = 0

  constructor(database: SimulatedDatabase, provenance: boolean, coverage: Coverage) {
    this.#database = database
    this.#provenance = provenance
    this.#coverage = coverage
    database.onLift = (name) => this.#lifted(this.stream(name === '' ? 'generator' : 'segment', name))
  }

  violated(sentence: string): void {
    this.violations.push(sentence)
  }

  /** Mixes a number into the hash of all that happened (FNV-1a). */
  mix(value: number): void {
    this.hash = Math.imul(this.hash ^ value, 0x01000193) >>> 0
  }

  stream(kind: StreamKind, name: string): Stream {
    const known = this.#streams.get(name)
    if (known !== undefined) return known
    const stream = new Stream(kind, name, this.#regressed.has(kind))
    this.#streams.set(name, stream)
    return stream
  }

  /** The store forgets what was committed of these kinds, and with `records` also the refusals. */
  regress(kinds: readonly StreamKind[], records: boolean): void {
    for (const kind of kinds) this.#regressed.add(kind)
    for (const stream of this.#streams.values()) {
      if (!kinds.includes(stream.kind)) continue
      this.#regressStream(stream)
      if (records) this.#lifted(stream)
    }
  }

  /** As `regress`, of one named sequence. */
  regressOne(name: string): void {
    this.#regressStream(this.stream('segment', name))
  }

  /** The counter of the generator is lost, but not its rows: no grant is excused. */
  loseCounter(): void {
    this.stream('generator', '').isRegressed = true
  }

  /** A person sets the row of an app's counter to what this gives: past every number in use. */
  mendCounter(appName: string): bigint {
    let greatest = 0n
    for (const stream of this.#streams.values()) {
      if (stream.kind !== 'counter' || !stream.name.startsWith(`${appName} `)) continue
      this.#lifted(stream)
      if (stream.greatestEnd > greatest) greatest = stream.greatestEnd
    }
    return greatest
  }

  /** How many ids a store that has these positions of sequences has lost of one of them, at most. */
  lost(positions: ReadonlyMap<string, bigint>): bigint {
    let most = 0n
    for (const [name, position] of positions) {
      const lost = (this.#streams.get(name)?.greatestEnd ?? 0n) - position
      if (lost > most) most = lost
    }
    return most
  }

  /** An instance was told that it has moved a named sequence to `id`, or further. */
  moved(instance: string, sequence: string, id: bigint): void {
    this.stream('segment', sequence).starts.set(instance, { id, atMs: this.#database.clock.now() })
  }

  /** `source`, with an eye on it. Grants become those of `holding` at its `install`. */
  watch(source: LeaseSource, holding: Holding): LeaseSource {
    return {
      lease: (ids, seenEnd) =>
        this.ask(
          holding,
          () => source.lease(ids, seenEnd),
          (leases) => leases.map((lease) => ({ ...lease, subject: lease })),
        ),
    }
  }

  /** Asks the store for a grant, and judges the answer. */
  async ask<T>(
    holding: Holding,
    ask: () => Promise<T>,
    grantsOf: (answer: T) => readonly (Lease & { subject: object })[],
  ): Promise<T> {
    const { stream, instance } = holding
    if (holding.isAsking) this.violated(`I8: ${instance} has two requests for ${name(stream)} in flight`)
    holding.isAsking = true
    const askedAt = ++this.#order
    const recordedEnd =
      this.#provenance && stream.kind !== 'counter' ? leasedEndOf(this.#database.tables, stream.name) : 0n
    try {
      const answer = await ask()
      holding.offered = grantsOf(answer).map((grant) => this.#judge(grant, holding, askedAt, recordedEnd))
      return answer
    } catch (error) {
      if (!(error instanceof SequenceError)) this.violated(`${instance} crashed: ${(error as Error).stack}`)
      else if (error.code === 'REGRESSED') this.#refused(holding, askedAt)
      throw error
    } finally {
      holding.isAsking = false
    }
  }

  /** An id is given to whoever asked for it. One that was waited for may be noted after later ones of the same lease. */
  serve(holding: Holding, id: Id, waited: boolean): void {
    const { stream, instance } = holding
    this.issued++
    this.mix(typeof id === 'number' ? id : Number(BigInt.asUintN(32, id)))
    if (id <= (waited ? holding.lastBefore : holding.last))
      this.violated(`I5: ${instance} served ${id} of ${name(stream)} after ${holding.last}`)
    if (id > holding.last) holding.last = id
    if (id < 0 || id >= ID_END || (typeof id === 'number') !== id < FIRST_BIGINT_ID)
      this.violated(`I6: ${instance} served ${id}, a ${typeof id}`)
    const start = stream.starts.get(instance)
    // What was waited for may have been taken just before it was moved.
    if (start !== undefined && id < start.id && !(waited && start.atMs === this.#database.clock.now()))
      this.violated(`${instance} served ${id} of ${name(stream)}, which it has moved to ${start.id}`)
    const grant = holding.grants.findLast(
      ({ start, end, thrownAwayAtMs }) =>
        id >= start &&
        id < end &&
        (thrownAwayAtMs === undefined || (waited && thrownAwayAtMs === this.#database.clock.now())),
    )
    if (grant === undefined) {
      this.violated(`I2, I3: ${instance} served ${id} of ${name(stream)}, of no lease that it may serve`)
      return
    }
    if (!this.#database.committed.has(grant.subject))
      this.violated(`I2: ${instance} served ${id} of ${name(stream)} before the commit of its lease`)
    const before = stream.served.get(id)
    stream.served.set(id, grant)
    if (before === undefined) return
    const later = before.order > grant.order ? before : grant
    if (before.world === grant.world || !later.isExcused)
      this.violated(`I1: ${instance} served ${id} of ${name(stream)}, which was served before`)
  }

  #judge(grant: Lease & { subject: object }, holding: Holding, askedAt: number, recordedEnd: bigint): Grant {
    const { start, end, subject } = grant
    const { stream, instance } = holding
    const breach = (why: string) => {
      this.violated(`I3: ${instance} was granted [${start}, ${end}) of ${name(stream)}, ${why}`)
      return new SequenceError('STORE_UNAVAILABLE', 'kept from the core, which would stop')
    }
    if (start < holding.seenEnd) throw breach(`but has seen ${holding.seenEnd}`)
    if (stream.refusedAt > 0 && stream.refusedAt < askedAt) throw breach('while a refusal stands')
    if (start < recordedEnd) throw breach(`but leases up to ${recordedEnd} are on record`)
    if (end > stream.greatestEnd) stream.greatestEnd = end
    const isExcused = start < stream.horizon
    if (isExcused) this.#coverage.took('I3: excused, since nobody could have noticed')
    return {
      start,
      end,
      subject,
      world: stream.world,
      order: ++this.#order,
      isExcused,
      thrownAwayAtMs: undefined,
    }
  }

  #refused({ stream, instance }: Holding, askedAt: number): void {
    if (!stream.isRegressed) this.violated(`I3: ${instance} was refused ${name(stream)} without a cause`)
    // One that was read before it was lifted may be told afterwards.
    if (stream.liftedAt < askedAt && stream.refusedAt === 0) stream.refusedAt = ++this.#order
  }

  #regressStream(stream: Stream): void {
    stream.isRegressed = true
    stream.world++
    stream.horizon = stream.greatestEnd
    stream.starts.clear()
  }

  #lifted(stream: Stream): void {
    stream.liftedAt = ++this.#order
    stream.refusedAt = 0
  }
}

function name({ kind, name: ownName }: Stream): string {
  return kind === 'generator' ? 'the generator' : ownName
}
