import type { LeaseSource } from './lease.ts'

/** What all instances on one store must agree on (I7), or their leases would overlap. */
export interface GeneratorAgreement {
  /** Ids in one lease of the generator, 1 to STEP_MAX. */
  readonly step: number
  /** Added to every lease: lease n is `[n*step + first, (n+1)*step + first)`. */
  readonly first: 0 | 1
}

/** A durable store of leases: the core's port, implemented once for MySQL and once for SQLite. */
export interface Store {
  /** Where and what it is, for people: `MySQL at db:3306/sequence`, `SQLite in data/seqsvr.sqlite`. */
  readonly description: string

  /** The one sequence without a name. Its `lease` does what `prepare` does when that has not succeeded yet. */
  readonly generator: LeaseSource

  /**
   * Makes missing tables (unless the schema is kept by hand) and agrees with the other instances on the generator's
   * step. Doing it again is harmless. Rejects with STORE_UNAVAILABLE (try again), STORE_MISCONFIGURED or
   * STEP_MISMATCH (a person must act).
   */
  prepare(): Promise<void>

  /** Ends all connections; requests in flight reject. Never rejects itself. */
  close(): Promise<void>
}
