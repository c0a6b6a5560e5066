import { SequenceError, unknownSequence } from '../../src/core/errors.ts'
import type { Lease, LeaseSource } from '../../src/core/lease.ts'
import {
  type CounterDemand,
  type CounterGrant,
  type CounterKey,
  type CounterRow,
  type CounterStore,
  GENERATOR_NAME,
  type GeneratorAgreement,
  type GeneratorStore,
  type SegmentRow,
  type SegmentStore,
} from '../../src/core/store.ts'
import type { moveCounter } from '../../src/store/counter.ts'
import {
  advancedTo,
  checkAgreement,
  leaseCount,
  leasesOf,
  refusalFloor,
  regressed,
} from '../../src/store/generator.ts'
import { LEASES_MAX } from '../../src/store/mysql/generator.ts'
import {
  advancedBy,
  leaseOf,
  type Segment,
  segmentRefusalFloor,
  segmentRegressed,
  sequenceExists,
  startAbove,
} from '../../src/store/segment.ts'
import type { SimulatedDatabase, Transaction } from './database.ts'
import { greatestId, leasedEndOf } from './tables.ts'

/** Who asks, and how. */
export interface StoreOptions {
  readonly agreement: GeneratorAgreement
  /** Whether leases are recorded, and those on record heeded. */
  readonly provenance: boolean
  readonly moveCounter: typeof moveCounter
}

/** As `MysqlGenerator`: the same decisions in the same order, on simulated tables. */
export class SimulatedGenerator implements GeneratorStore {
  readonly #database: SimulatedDatabase
  readonly #options: StoreOptions
  /** Ids of rows of this instance, to be deleted with its next lease. */
  #rows: bigint[] = []

  constructor(database: SimulatedDatabase, options: StoreOptions) {
    this.#database = database
    this.#options = options
  }

  async lease(ids: number, seenEnd: bigint): Promise<readonly Lease[]> {
    const { agreement, provenance } = this.#options
    const rows = this.#rows
    this.#rows = []
    try {
      const outcome = await this.#run(async (transaction) => {
        const { maxId, floor: recorded, leasedEnd } = this.#state(transaction)
        const end = seenEnd > leasedEnd ? seenEnd : leasedEnd
        const floor = refusalFloor({ maxId, floor: recorded }, end, agreement)
        if (floor !== undefined) {
          if (floor > recorded) transaction.raiseFloor(GENERATOR_NAME, floor)
          return regressed(maxId, floor, agreement)
        }
        await transaction.trip()
        const ns = Array.from(
          { length: leaseCount(ids, agreement.step, LEASES_MAX) },
          () => transaction.tables.nextId++,
        )
        const leases = leasesOf(ns, maxId, agreement)
        const row = ns.at(-1) as bigint
        transaction.write(({ generator }) => {
          generator.add(row)
          for (const id of rows) generator.delete(id)
        })
        if (provenance) transaction.record(GENERATOR_NAME, leases)
        transaction.grant(...leases)
        return { leases, row }
      })
      if (outcome instanceof SequenceError) throw outcome
      this.#rows.push(outcome.row)
      return outcome.leases
    } catch (error) {
      this.#rows.push(...rows)
      const floor = error instanceof SequenceError ? error.floor : undefined
      // A counter that was lost was found in a transaction that had to be rolled back.
      if (floor !== undefined)
        await this.#run(async (transaction) => transaction.raiseFloor(GENERATOR_NAME, floor))
      throw error
    }
  }

  async advanceBy(ids: bigint): Promise<void> {
    const { agreement } = this.#options
    await this.#run(async (transaction) => {
      const { maxId, floor, leasedEnd } = this.#state(transaction)
      await transaction.trip()
      const past = refusalFloor({ maxId, floor }, leasedEnd, agreement) ?? 0n
      const to = advancedTo(maxId, past, ids, agreement)
      transaction.write((tables) => {
        tables.generator.add(to)
        if (tables.nextId <= to) tables.nextId = to + 1n
      })
      transaction.liftFloor(GENERATOR_NAME)
    })
  }

  /** Agrees on the step first, where nobody has yet: whichever instance is first. */
  async #run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#database.tables.agreement === undefined)
      await this.#database.run(async (transaction) =>
        transaction.write((tables) => {
          tables.agreement ??= this.#options.agreement
        }),
      )
    return this.#database.run(work)
  }

  #state({ tables }: Transaction): { maxId: bigint; floor: bigint; leasedEnd: bigint } {
    if (tables.agreement === undefined)
      throw new SequenceError('STORE_MISCONFIGURED', 'the agreement on the step has vanished')
    const { step, first } = tables.agreement
    checkAgreement({ step: BigInt(step), first: BigInt(first) }, this.#options.agreement)
    return {
      maxId: greatestId(tables),
      floor: tables.floors.get(GENERATOR_NAME) ?? 0n,
      leasedEnd: this.#options.provenance ? leasedEndOf(tables, GENERATOR_NAME) : 0n,
    }
  }
}

/** As `MysqlSegments`. */
export class SimulatedSegments implements SegmentStore {
  readonly #database: SimulatedDatabase
  readonly #provenance: boolean

  constructor(database: SimulatedDatabase, { provenance }: StoreOptions) {
    this.#database = database
    this.#provenance = provenance
  }

  source(name: string): LeaseSource {
    return {
      lease: async (ids, seenEnd) => {
        const outcome = await this.#database.run(async (transaction) => {
          const segment = await this.#find(transaction, name)
          if (segment === undefined) {
            if (seenEnd > 0n) transaction.raiseFloor(name, seenEnd)
            return unknownSequence(name)
          }
          await transaction.trip()
          const floor = segmentRefusalFloor(segment, seenEnd)
          if (floor === undefined) return [this.#lease(transaction, segment, ids)]
          if (floor > segment.floor) transaction.raiseFloor(name, floor)
          return segmentRegressed(segment, floor)
        })
        if (outcome instanceof SequenceError) throw outcome
        return outcome
      },
    }
  }

  existing(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#database.run(
      async ({ tables }) => new Set(names.filter((name) => tables.segments.has(name))),
    )
  }

  list(after: string, limit: number): Promise<readonly SegmentRow[]> {
    return this.#database.run(async ({ tables }) =>
      [...tables.segments]
        .map(([name, row]) => ({ name, ...row }))
        .filter(({ name }) => name > after)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, limit),
    )
  }

  create(name: string, start: bigint, step: number): Promise<void> {
    return this.#database.run(async (transaction) => {
      await transaction.lock(name)
      if (transaction.tables.segments.has(name)) throw sequenceExists(name)
      const maxId = startAbove(this.#marksOf(transaction, name), start)
      if (maxId > start) this.#database.coverage.took('store: made again, above what it leased')
      transaction.write(({ segments }) => void segments.set(name, { maxId, step: BigInt(step) }))
      transaction.liftFloor(name)
    })
  }

  advanceTo(name: string, start: bigint): Promise<bigint> {
    return this.#database.run(async (transaction) => {
      const segment = await this.#known(transaction, name)
      const to = segment.maxId < start ? start : segment.maxId
      moveTo(transaction, segment, to)
      if (to >= segment.floor) transaction.liftFloor(name)
      return to
    })
  }

  advanceBy(name: string, ids: bigint): Promise<bigint> {
    return this.#database.run(async (transaction) => {
      const segment = await this.#known(transaction, name)
      const to = advancedBy(segment, ids)
      moveTo(transaction, segment, to)
      transaction.liftFloor(name)
      return to
    })
  }

  retire(name: string): Promise<void> {
    return this.#database.run(async (transaction) => {
      const { maxId } = await this.#known(transaction, name)
      transaction.raiseFloor(name, maxId)
      transaction.write(({ segments }) => void segments.delete(name))
    })
  }

  #lease(transaction: Transaction, segment: Segment, ids: number): Lease {
    const lease = leaseOf(segment, ids)
    moveTo(transaction, segment, lease.end)
    if (this.#provenance) transaction.record(segment.name, [lease])
    transaction.grant(lease)
    return lease
  }

  /** Locks the row, or the gap where it would be. */
  async #find(transaction: Transaction, name: string): Promise<Segment | undefined> {
    await transaction.lock(name)
    const row = transaction.tables.segments.get(name)
    return row && { name, ...row, ...this.#marksOf(transaction, name) }
  }

  async #known(transaction: Transaction, name: string): Promise<Segment> {
    const segment = await this.#find(transaction, name)
    if (segment === undefined) throw unknownSequence(name)
    return segment
  }

  #marksOf({ tables }: Transaction, name: string): { floor: bigint; leasedEnd: bigint } {
    return {
      floor: tables.floors.get(name) ?? 0n,
      leasedEnd: this.#provenance ? leasedEndOf(tables, name) : 0n,
    }
  }
}

function moveTo(transaction: Transaction, { name, step }: SegmentRow, maxId: bigint): void {
  transaction.write(({ segments }) => void segments.set(name, { maxId, step }))
}

/** As `MysqlCounters`. */
export class SimulatedCounters implements CounterStore {
  readonly #database: SimulatedDatabase
  readonly #move: typeof moveCounter

  constructor(database: SimulatedDatabase, options: StoreOptions) {
    this.#database = database
    this.#move = options.moveCounter
  }

  async reserve(key: CounterKey, demand: CounterDemand): Promise<CounterGrant> {
    const name = rowName(key)
    const outcome = await this.#database.run(async (transaction) => {
      await transaction.lock(name)
      const { outcome, row } = this.#move(key, transaction.tables.counters.get(name), demand)
      await transaction.trip()
      if (row !== undefined) transaction.write(({ counters }) => void counters.set(name, row))
      transaction.grant(outcome)
      return outcome
    })
    if (outcome instanceof SequenceError) throw outcome
    return outcome
  }

  read(key: CounterKey): Promise<CounterRow | undefined> {
    return this.#database.run(async ({ tables }) => tables.counters.get(rowName(key)))
  }
}

export function rowName({ nodeOffset, ruleName, appName }: CounterKey): string {
  return `${nodeOffset}/${ruleName}/${appName}`
}
