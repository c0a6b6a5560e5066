import { SequenceError } from '../../core/errors.ts'
import type { Lease } from '../../core/lease.ts'
import { GENERATOR_NAME, type GeneratorAgreement } from '../../core/store.ts'
import {
  advancedTo,
  checkAgreement,
  leaseCount,
  leaseStart,
  leasesOf,
  refusalFloor,
  regressed,
} from '../generator.ts'
import type { DatabaseFile, Prepare } from './file.ts'
import { leasedEndOf, recordLeases } from './lease-records.ts'

/** The greatest integer of SQLite: the last AUTOINCREMENT id, and the greatest floor that can be recorded. */
export const INTEGER_MAX = 2n ** 63n - 1n

const REPLACE = 'REPLACE INTO generator_table (uuid) VALUES (?)'

/** As if REPLACE had been run for each id up to this one: nobody else can write in between, and the next one is above it. */
const REPLACE_UP_TO = 'REPLACE INTO generator_table (id, uuid) VALUES (?, ?)'

export const GREATEST = `
SELECT maxId, max(maxId, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'generator_table'), 0)) AS lastId
FROM (SELECT coalesce(max(id), 0) AS maxId FROM generator_table)`

const AGREE =
  "INSERT OR IGNORE INTO seqsvr_meta (name, value) VALUES ('generator.step', ?), ('generator.first', ?)"

const META = "SELECT name, value FROM seqsvr_meta WHERE name LIKE 'generator.%'"

const RAISE_FLOOR = `
INSERT INTO seqsvr_meta (name, value) VALUES ('generator.floor', ?)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`

const LIFT_FLOOR = "DELETE FROM seqsvr_meta WHERE name = 'generator.floor'"

const ADVANCE = 'INSERT INTO generator_table (id, uuid) VALUES (?, ?)'

/** What the store has in one transaction. */
interface State {
  /** The greatest id in the table, 0 when it is empty. */
  readonly maxId: bigint
  /** The greatest id that was ever in the table: the next one is greater. */
  readonly lastId: bigint
  readonly floor: bigint
}

/** Leases of one transaction: to take as many from the message of the store's thread keeps the event loop for 0.7 ms. */
const LEASES_MAX = 1_024

/** The generator in SQLite: each call is one transaction, once the instances agree (I7). */
export class SqliteGenerator {
  readonly #file: DatabaseFile
  readonly #agreement: GeneratorAgreement
  readonly #uuid: string
  readonly #provenance: boolean

  /** `provenance`: whether leases are recorded, and leases on record heeded. */
  constructor(file: DatabaseFile, agreement: GeneratorAgreement, uuid: string, provenance: boolean) {
    this.#file = file
    this.#agreement = agreement
    this.#uuid = uuid
    this.#provenance = provenance
  }

  /** Makes the tables and the agreement. */
  prepare(): void {
    this.#file.transaction((prepare) => void this.#agreedState(prepare))
  }

  /** As `LeaseSource.lease`. */
  lease(ids: number, seenEnd: bigint): Lease[] {
    const agreement = this.#agreement
    const outcome = this.#file.transaction((prepare) => {
      const { maxId, lastId, floor } = this.#agreedState(prepare)
      // Leases on record are as if this instance had seen them (I3), where the counter does not lie above them.
      const lostEnd = this.#lostEnd(prepare, lastId)
      const refusal = refusalFloor({ maxId, floor }, seenEnd > lostEnd ? seenEnd : lostEnd, agreement)
      if (refusal !== undefined) {
        if (refusal > floor) recordFloor(prepare, refusal)
        return regressed(maxId, refusal, agreement)
      }
      const wanted = BigInt(leaseCount(ids, agreement.step, LEASES_MAX))
      // Asked for an id past the last one, SQLite would answer SQLITE_FULL, as when the disk is full.
      const count = wanted < INTEGER_MAX - lastId ? wanted : INTEGER_MAX - lastId
      const leases = leasesOf(count > 0n ? nextIds(prepare, this.#uuid, count) : [], maxId, agreement)
      if (this.#provenance) recordLeases(prepare, GENERATOR_NAME, leases, this.#uuid)
      return leases
    })
    if (outcome instanceof SequenceError) throw outcome
    return outcome
  }

  /** As `GeneratorStore.advanceBy`. */
  advanceBy(ids: bigint): void {
    this.#file.transaction((prepare) => {
      const { lastId, floor } = this.#agreedState(prepare)
      const lostEnd = this.#lostEnd(prepare, lastId)
      const n = advancedTo(lastId, floor > lostEnd ? floor : lostEnd, ids, this.#agreement)
      prepare(ADVANCE).run(n < INTEGER_MAX ? n : INTEGER_MAX, `advance to ${n}`)
      prepare(LIFT_FLOOR).run()
    })
  }

  /** Where the next lease starts. */
  position(): bigint {
    return this.#file.transaction((prepare) =>
      leaseStart(this.#agreedState(prepare).lastId + 1n, this.#agreement),
    )
  }

  /** The end of the greatest lease on record, if the next lease would start below it; else 0n. */
  #lostEnd(prepare: Prepare, lastId: bigint): bigint {
    if (!this.#provenance) return 0n
    const leasedEnd = leasedEndOf(prepare, GENERATOR_NAME)
    return leaseStart(lastId + 1n, this.#agreement) < leasedEnd ? leasedEnd : 0n
  }

  #agreedState(prepare: Prepare): State {
    let meta = metaOf(prepare)
    if (!meta.has('generator.step') || !meta.has('generator.first')) {
      prepare(AGREE).run(this.#agreement.step, this.#agreement.first)
      meta = metaOf(prepare)
    }
    this.#check(meta)
    const { maxId, lastId } = prepare(GREATEST).get() as { maxId: bigint; lastId: bigint }
    return { maxId, lastId, floor: meta.get('generator.floor') ?? 0n }
  }

  #check(meta: ReadonlyMap<string, bigint>): void {
    const step = meta.get('generator.step') as bigint
    checkAgreement({ step, first: meta.get('generator.first') as bigint }, this.#agreement)
  }
}

/** So many auto-increment ids, by two statements: one for each took 1.5 ms for 128, which kept a server on one core from its work. */
function nextIds(prepare: Prepare, uuid: string, count: bigint): bigint[] {
  const first = BigInt(prepare(REPLACE).run(uuid).lastInsertRowid)
  if (count > 1n) prepare(REPLACE_UP_TO).run(first + count - 1n, uuid)
  return Array.from({ length: Number(count) }, (_, i) => first + BigInt(i))
}

function recordFloor(prepare: Prepare, floor: bigint): void {
  // Leases start whole steps apart, so that none starts between the greatest floor and the end of the id space.
  prepare(RAISE_FLOOR).run(floor < INTEGER_MAX ? floor : INTEGER_MAX)
}

function metaOf(prepare: Prepare): Map<string, bigint> {
  const rows = prepare(META).all() as { name: string; value: bigint }[]
  return new Map(rows.map(({ name, value }) => [name, value]))
}
