import type { LeaseSource } from '../../src/core/lease.ts'
import { RuleClock } from '../../src/rules/rule-clock.ts'
import { moveCounter } from '../../src/store/counter.ts'
import { SimulatedDatabase } from './database.ts'
import { WatchedSequence } from './watched-sequence.ts'

/** What a fleet is made of. The negative controls put something broken in the place of one part. */
export interface Parts {
  readonly Database: typeof SimulatedDatabase
  readonly Sequence: typeof WatchedSequence
  readonly Clock: typeof RuleClock
  readonly moveCounter: typeof moveCounter
  /** What an instance asks for leases, between the sequence and the store. */
  readonly source: (source: LeaseSource) => LeaseSource
}

export const PARTS: Parts = {
  Database: SimulatedDatabase,
  Sequence: WatchedSequence,
  Clock: RuleClock,
  moveCounter,
  source: (source) => source,
}
