import type { LeaseSource } from './lease.ts'

/** What all instances on one store must agree on (I7), or their leases would overlap. */
export interface GeneratorAgreement {
  /** Ids in one lease of the generator, 1 to STEP_MAX. */
  readonly step: number
  /** Added to every lease: lease n is `[n*step + first, (n+1)*step + first)`. */
  readonly first: 0 | 1
}

/** Where the generator gets its leases. */
export interface GeneratorStore extends LeaseSource {
  /**
   * Moves the generator at least `ids` ids past all that it leased and past a recorded refusal (I3), which that
   * lifts: what an operator does after a failover that may have lost the last leases.
   */
  advanceBy(ids: bigint): Promise<void>
}

/** A named sequence as the store has it. */
export interface SegmentRow {
  readonly name: string
  /** The first id not yet leased. */
  readonly maxId: bigint
  /** Ids in the smallest lease. */
  readonly step: bigint
}

/**
 * The named sequences of a store. Names are checked by the caller. All methods reject with an error of the store as
 * well (STORE_UNAVAILABLE, STORE_MISCONFIGURED, SHUTTING_DOWN).
 */
export interface SegmentStore {
  /**
   * Where one named sequence gets its leases: `[max_id, max_id + k*step)` without id 0. Rejects with
   * UNKNOWN_SEQUENCE when there is no such row, and with STORE_MISCONFIGURED when what it holds is absurd.
   */
  source(name: string): LeaseSource

  /** Those of these names that exist. */
  existing(names: readonly string[]): Promise<ReadonlySet<string>>

  /** Up to `limit` sequences in the order of their names' bytes, from the first one after `after`. */
  list(after: string, limit: number): Promise<readonly SegmentRow[]>

  /**
   * Makes a sequence whose first id is `start` (0 to 2^63-1), or what lies past all ids that an earlier sequence of
   * this name leased, if that is greater. Rejects with SEQUENCE_EXISTS, which changes nothing.
   */
  create(name: string, start: bigint, step: number): Promise<void>

  /**
   * Moves a sequence so that its next lease starts at `start` (0 to 2^63-1) or later; one that is past that already
   * stays. Lifts a refusal (I3) when that is past its floor. Resolves with its `max_id`. Rejects with UNKNOWN_SEQUENCE.
   */
  advanceTo(name: string, start: bigint): Promise<bigint>

  /** As `GeneratorStore.advanceBy`, for one sequence. Resolves with its `max_id`. Rejects with UNKNOWN_SEQUENCE. */
  advanceBy(name: string, ids: bigint): Promise<bigint>

  /**
   * Removes a sequence. What it leased stays on record: made again, it starts above it. Rejects with
   * UNKNOWN_SEQUENCE.
   */
  retire(name: string): Promise<void>
}

/** Which counter: instances with the same `nodeOffset` share it. */
export interface CounterKey {
  readonly nodeOffset: number
  readonly ruleName: string
  readonly appName: string
}

/** A counter as the store has it. */
export interface CounterRow {
  /** The greatest number reserved so far. */
  readonly counter: bigint
  /** When that was, in seconds since 1970: it tells the period that the number belongs to. */
  readonly updateSeconds: number
}

/** What is to be reserved of a counter. */
export interface CounterDemand {
  /** The period `[since, until)` in seconds since 1970, and a moment in it. */
  readonly sinceSeconds: number
  readonly untilSeconds: number
  readonly seconds: number
  /** The numbers of a period: `first`, `first + step`, … and none above `last`. */
  readonly first: bigint
  readonly last: bigint
  readonly step: bigint
  /** How many, at least 1. */
  readonly count: number
  /** The greatest number of this period that this instance has seen reserved (I3). */
  readonly seen: bigint | undefined
}

/** What was reserved, or else that the store is in a later period already, and what time it has. */
export type CounterGrant =
  | { readonly first: bigint; readonly count: number }
  | { readonly laterSeconds: number }

/** The counters behind rules. Both methods reject with an error of the store as well, as those of `SegmentStore` do. */
export interface CounterStore {
  /**
   * Reserves `count` numbers of a period, or fewer where its last one is near. Resolves only once that is durable
   * (I2); a rejection grants nothing, and asking again is safe. The first reservation in a later period than the row's
   * starts at `first`, whichever instance makes it.
   *
   * Rejects with EXHAUSTED when the period has no numbers left, with REGRESSED when the row does not know of `seen`
   * (I3), and with BAD_REQUEST when a column cannot hold a name.
   */
  reserve(key: CounterKey, demand: CounterDemand): Promise<CounterGrant>

  /** The row of a counter, if there is one. */
  read(key: CounterKey): Promise<CounterRow | undefined>
}

/** A durable store of leases: the core's port, implemented once for MySQL and once for SQLite. */
export interface Store {
  /** Where and what it is, for people: `MySQL at db:3306/sequence`, `SQLite in data/seqsvr.sqlite`. */
  readonly description: string

  /** The one sequence without a name. Like all that the store does, it prepares what is not prepared yet. */
  readonly generator: GeneratorStore

  readonly segments: SegmentStore

  readonly counters: CounterStore

  /**
   * Makes missing tables (unless the schema is kept by hand) and agrees with the other instances on the generator's
   * step. Doing it again is harmless. Rejects with STORE_UNAVAILABLE (try again), STORE_MISCONFIGURED or
   * STEP_MISMATCH (a person must act).
   */
  prepare(): Promise<void>

  /**
   * Looks at the store and changes nothing: whether it has its tables and an agreement, or has yet to get them.
   * Rejects as `prepare` does, with STORE_MISCONFIGURED also where tables are missing that a person must make.
   */
  inspect(): Promise<'ready' | 'empty'>

  /** Ends all connections; requests in flight reject. Never rejects itself. */
  close(): Promise<void>
}
