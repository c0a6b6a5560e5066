import { ID_END } from './id.ts'

/** A half-open range `[start, end)` of one sequence that the store has granted, durably, to one instance. */
export interface Lease {
  readonly start: bigint
  readonly end: bigint
}

/**
 * The core's port to a store: where one sequence gets its leases. Implementations keep their own deadlines, so
 * the promise settles, and rejects with a `SequenceError` only.
 */
export interface LeaseSource {
  /**
   * Asks for leases that hold `ids` ids together (at least 1). The store rounds up to whole leases and may grant
   * fewer ids than asked for, but never nothing. Resolves only once their commit is acknowledged (I2), in rising
   * order. A rejection grants nothing, whatever became of the transaction; asking again is safe.
   *
   * `seenEnd` is the end of the greatest lease that this instance has seen. A store that stands below it went
   * backwards (I3): it grants nothing, records that ids below may be in use, and rejects with REGRESSED. From then on
   * it rejects so for every instance, across restarts, until an operator advances the sequence.
   */
  lease(ids: number, seenEnd: bigint): Promise<readonly Lease[]>
}

/**
 * What is left of a lease inside the id space, or undefined where nothing is (I6: past the end there is no id,
 * never a wrapped one).
 */
export function clipToIdSpace(lease: Lease): Lease | undefined {
  if (lease.start >= ID_END) return undefined
  return lease.end <= ID_END ? lease : { start: lease.start, end: ID_END }
}
