import type { Finding } from './finding.ts'
import type { Lease, LeaseSource } from './lease.ts'

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
  /** A refusal on record (I3): the store had forgotten numbers up to `counter`, and nothing is reserved in this period. */
  readonly isRefused: boolean
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
   * Rejects with EXHAUSTED when the period has no numbers left, with REGRESSED when the row does not know of `seen`, or
   * did not know of what another instance had seen (I3), and with BAD_REQUEST when a column cannot hold a name.
   */
  reserve(key: CounterKey, demand: CounterDemand): Promise<CounterGrant>

  /** The row of a counter, if there is one. */
  read(key: CounterKey): Promise<CounterRow | undefined>
}

/** The generator, where a sequence is told by its name: no other one's is empty. */
export const GENERATOR_NAME = ''

/** A lease, or adjacent leases of one grant, as the store has it on record. */
export interface LeaseRecord extends Lease {
  /** `GENERATOR_NAME`, or that of a named sequence. */
  readonly sequence: string
  /** The name of the instance that it was granted to. Whether that served the ids, nobody knows (I2). */
  readonly instance: string
  /** In ms since 1970, by the clock of the store; for people only (I10). */
  readonly timeMs: number
}

/** An instance as its leases tell of it. */
export interface InstanceRecord {
  readonly instance: string
  /** When it leased last, as `LeaseRecord.timeMs`. */
  readonly seenAtMs: number
  /** How many records it has in the time that was asked for. */
  readonly leases: number
}

/**
 * Which instance was granted which ids, of the generator and of named sequences: written in the transaction of each
 * lease. All methods reject with an error of the store, as those of `SegmentStore` do.
 */
export interface ProvenanceStore {
  /** The record of the lease that holds `id`. None: never leased, forgotten by now, or leased by another program. */
  find(sequence: string, id: bigint): Promise<LeaseRecord | undefined>

  /** Up to `limit` records in the order of their names' bytes and then of their starts, from the first one after `after`. */
  page(
    after: Pick<LeaseRecord, 'sequence' | 'start'> | undefined,
    limit: number,
  ): Promise<readonly LeaseRecord[]>

  /** Where the next leases of these sequences start, of those that exist. */
  positions(sequences: readonly string[]): Promise<ReadonlyMap<string, bigint>>

  /** The instances that leased at `sinceMs` or later, the latest first: at most `INSTANCES_MAX`. */
  instances(sinceMs: number): Promise<readonly InstanceRecord[]>

  /**
   * Forgets records older than `ageMs`, but never the last one of a sequence, which I3 needs. One call is one small
   * transaction over the oldest records after `afterMs`; `nextMs` is where the next call begins, if one is needed.
   */
  prune(ageMs: number, afterMs: number): Promise<{ readonly pruned: number; readonly nextMs?: number }>
}

/** A durable store of leases: the core's port, implemented once for MySQL and once for SQLite. */
export interface Store {
  /** Where and what it is, for people: `MySQL at db:3306/sequence`, `SQLite in data/seqsvr.sqlite`. */
  readonly description: string

  /** The one sequence without a name. Like all that the store does, it prepares what is not prepared yet. */
  readonly generator: GeneratorStore

  readonly segments: SegmentStore

  readonly counters: CounterStore

  /** Undefined where leases are not recorded. */
  readonly provenance: ProvenanceStore | undefined

  /**
   * Makes missing tables (unless the schema is kept by hand) and agrees with the other instances on the generator's
   * step. Doing it again is harmless. Rejects with STORE_UNAVAILABLE (try again), STORE_MISCONFIGURED or
   * STEP_MISMATCH (a person must act).
   */
  prepare(): Promise<void>

  /**
   * Looks at the store and at what surrounds it, and changes nothing: whether instances with these options can serve, and
   * what could lead to ids that repeat. Goes on after a finding as far as it can; a store that is not available is one.
   */
  inspect(): Promise<readonly Finding[]>

  /** Ends all connections; requests in flight reject. Never rejects itself. */
  close(): Promise<void>
}
