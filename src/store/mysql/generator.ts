import { SequenceError } from '../../core/errors.ts'
import { ID_END } from '../../core/id.ts'
import type { Lease } from '../../core/lease.ts'
import { GENERATOR_NAME, type GeneratorAgreement, type GeneratorStore } from '../../core/store.ts'
import { advancedTo, leaseCount, refusalFloor, regressed } from '../generator.ts'
import { grant, readState } from './grant.ts'
import { recordLeases } from './lease-records.ts'
import type { Preparation } from './preparation.ts'
import type { Session } from './session.ts'
import type { Transactions } from './transactions.ts'

export interface MysqlGeneratorOptions {
  readonly transactions: Transactions
  readonly preparation: Preparation
  readonly agreement: GeneratorAgreement
  /** This instance's name. */
  readonly uuid: string
  /** Whether it records its leases. */
  readonly provenance: boolean
}

const RECORD_FLOOR = `
INSERT INTO seqsvr_meta (name, value) VALUES ('generator.floor', ?)
ON DUPLICATE KEY UPDATE value = GREATEST(value, ?)`

const LIFT_FLOOR = "DELETE FROM seqsvr_meta WHERE name = 'generator.floor'"

const ADVANCE = 'INSERT INTO generator_table (id, uuid) VALUES (?, UUID())'

/** Leases of one transaction: each is a row, and a longer transaction would hold up other instances. */
export const LEASES_MAX = 128

/** The generator's leases: the auto-increment ids of rows that it puts into `generator_table`. */
export class MysqlGenerator implements GeneratorStore {
  readonly #options: MysqlGeneratorOptions
  #uuidsUsed = 0
  /** Ids of rows of this instance, to be deleted with its next lease: one, unless leases were asked for at once. */
  #rows: bigint[] = []

  constructor(options: MysqlGeneratorOptions) {
    this.#options = options
  }

  async lease(ids: number, seenEnd: bigint): Promise<readonly Lease[]> {
    const { agreement, preparation, uuid, provenance } = this.#options
    const rows = this.#rows
    this.#rows = []
    try {
      const count = leaseCount(ids, agreement.step, LEASES_MAX)
      const outcome = await this.#run(async (session) => {
        const state = await readState(session, agreement, provenance)
        // Leases on record are as if this instance had seen them (I3): a table alone may have gone back.
        const end = seenEnd > state.leasedEnd ? seenEnd : state.leasedEnd
        const floor = refusalFloor(state, end, agreement)
        if (floor === undefined) {
          const granted = await grant(session, this.#newUuids(count), rows, state.maxId, agreement)
          if (provenance) await recordLeases(session, GENERATOR_NAME, granted.leases, uuid)
          return granted
        }
        if (floor > state.floor) await recordFloor(session, floor)
        return regressed(state.maxId, floor, agreement)
      })
      if (outcome instanceof SequenceError) throw outcome
      this.#rows.push(outcome.row)
      return outcome.leases
    } catch (error) {
      // Where the transaction was committed after all they are gone, and to delete them again is harmless.
      this.#rows.push(...rows)
      if (!(error instanceof SequenceError)) throw error
      if (error.code === 'STORE_MISCONFIGURED') preparation.forget()
      const { floor } = error
      if (floor === undefined) throw error
      // A counter that was lost was found in a transaction that had to be rolled back.
      await this.#run((session) => recordFloor(session, floor))
      throw this.#withWayOut(error, floor)
    }
  }

  advanceBy(ids: bigint): Promise<void> {
    const { agreement, provenance } = this.#options
    return this.#run(async (session) => {
      const state = await readState(session, agreement, provenance)
      const { maxId } = state
      const floor = refusalFloor(state, state.leasedEnd, agreement) ?? 0n
      await session.run(ADVANCE, [advancedTo(maxId, floor, ids, agreement)])
      await session.run(LIFT_FLOOR)
    })
  }

  async #run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.#options.preparation.prepare()
    return this.#options.transactions.run(work)
  }

  /** Names for rows, never used before: the first 24 characters are this instance's, the last 12 count. */
  #newUuids(count: number): string[] {
    const prefix = this.#options.uuid.slice(0, 24)
    return Array.from({ length: count }, () => prefix + (this.#uuidsUsed++).toString(16).padStart(12, '0'))
  }

  /** Adds to a refusal (I3) how a person lifts it. */
  #withWayOut(error: SequenceError, floor: bigint): SequenceError {
    const n = advancedTo(0n, floor, 0n, this.#options.agreement)
    return new SequenceError(
      error.code,
      `${error.message}; or INSERT INTO generator_table (id, uuid) VALUES (${n}, UUID()), or a greater id, and then ${LIFT_FLOOR}`,
      { cause: error, floor },
    )
  }
}

async function recordFloor(session: Session, floor: bigint): Promise<void> {
  // Past the end there is nothing left to protect, and the column holds no more than 2^64-1.
  const value = floor < ID_END ? floor : ID_END
  await session.run(RECORD_FLOOR, [value, value])
}
