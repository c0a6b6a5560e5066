import { SequenceError, unknownSequence } from '../../core/errors.ts'
import type { Lease } from '../../core/lease.ts'
import type { SegmentRow } from '../../core/store.ts'
import {
  advancedBy,
  floorKey,
  leaseOf,
  type Marks,
  type Segment,
  segmentRefusalFloor,
  segmentRegressed,
  sequenceExists,
  startAbove,
} from '../segment.ts'
import { type ColumnValue, toColumn } from './column.ts'
import type { DatabaseFile, Prepare } from './file.ts'
import { leasedEndOf, recordLeases } from './lease-records.ts'

const SELECT = 'SELECT max_id AS maxId, step FROM segments WHERE app_tag = ?'
const FLOOR = 'SELECT value FROM seqsvr_meta WHERE name = ?'
const EXISTS = 'SELECT 1 FROM segments WHERE app_tag = ?'
const LIST =
  'SELECT app_tag AS name, max_id AS maxId, step FROM segments WHERE app_tag > ? ORDER BY app_tag LIMIT ?'
const INSERT = 'INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)'
const UPDATE = 'UPDATE segments SET max_id = ?, update_time = CURRENT_TIMESTAMP WHERE app_tag = ?'
const DELETE = 'DELETE FROM segments WHERE app_tag = ?'
const LIFT_FLOOR = 'DELETE FROM seqsvr_meta WHERE name = ?'
const RAISE_FLOOR = `
INSERT INTO seqsvr_meta (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`

/** The named sequences in SQLite: each call is one transaction, as the methods of `SegmentStore` say. */
export class SqliteSegments {
  readonly #file: DatabaseFile
  readonly #recorder: string | undefined

  /** `recorder` is this instance's name, for the record of its leases; undefined where there is none. */
  constructor(file: DatabaseFile, recorder: string | undefined) {
    this.#file = file
    this.#recorder = recorder
  }

  lease(name: string, ids: number, seenEnd: bigint): Lease[] {
    const outcome = this.#file.transaction((prepare) => {
      const segment = this.#find(prepare, name)
      if (segment === undefined) {
        // Made again, it must not repeat what this instance has seen of it (I1).
        if (seenEnd > 0n) prepare(RAISE_FLOOR).run(floorKey(name), toColumn(seenEnd))
        return unknownSequence(name)
      }
      const floor = segmentRefusalFloor(segment, seenEnd)
      if (floor !== undefined) {
        if (floor > segment.floor) prepare(RAISE_FLOOR).run(floorKey(name), toColumn(floor))
        return segmentRegressed(segment, floor)
      }
      const lease = leaseOf(segment, ids)
      moveTo(prepare, name, lease.end)
      if (this.#recorder !== undefined) recordLeases(prepare, name, [lease], this.#recorder)
      return [lease]
    })
    if (outcome instanceof SequenceError) throw outcome
    return outcome
  }

  existing(names: readonly string[]): Set<string> {
    return this.#file.transaction(
      (prepare) => new Set(names.filter((name) => prepare(EXISTS).get(name) !== undefined)),
    )
  }

  list(after: string, limit: number): SegmentRow[] {
    return this.#file.transaction((prepare) =>
      (prepare(LIST).all(after, limit) as { name: string; maxId: ColumnValue; step: bigint }[]).map(
        (row) => ({
          ...row,
          maxId: BigInt(row.maxId),
        }),
      ),
    )
  }

  create(name: string, start: bigint, step: number): void {
    this.#file.transaction((prepare) => {
      if (prepare(EXISTS).get(name) !== undefined) throw sequenceExists(name)
      prepare(INSERT).run(name, toColumn(startAbove(this.#marksOf(prepare, name), start)), step)
      prepare(LIFT_FLOOR).run(floorKey(name))
    })
  }

  advanceTo(name: string, start: bigint): bigint {
    return this.#file.transaction((prepare) => {
      const { maxId, floor } = this.#known(prepare, name)
      const to = maxId < start ? moveTo(prepare, name, start) : maxId
      if (to >= floor) prepare(LIFT_FLOOR).run(floorKey(name))
      return to
    })
  }

  advanceBy(name: string, ids: bigint): bigint {
    return this.#file.transaction((prepare) => {
      const to = moveTo(prepare, name, advancedBy(this.#known(prepare, name), ids))
      prepare(LIFT_FLOOR).run(floorKey(name))
      return to
    })
  }

  retire(name: string): void {
    this.#file.transaction((prepare) => {
      prepare(RAISE_FLOOR).run(floorKey(name), toColumn(this.#known(prepare, name).maxId))
      prepare(DELETE).run(name)
    })
  }

  #find(prepare: Prepare, name: string): Segment | undefined {
    const row = prepare(SELECT).get(name) as { maxId: ColumnValue; step: bigint } | undefined
    return row && { name, maxId: BigInt(row.maxId), step: row.step, ...this.#marksOf(prepare, name) }
  }

  #known(prepare: Prepare, name: string): Segment {
    const segment = this.#find(prepare, name)
    if (segment === undefined) throw unknownSequence(name)
    return segment
  }

  #marksOf(prepare: Prepare, name: string): Marks {
    const row = prepare(FLOOR).get(floorKey(name)) as { value: ColumnValue } | undefined
    return {
      floor: BigInt(row?.value ?? 0n),
      leasedEnd: this.#recorder === undefined ? 0n : leasedEndOf(prepare, name),
    }
  }
}

function moveTo(prepare: Prepare, name: string, maxId: bigint): bigint {
  prepare(UPDATE).run(toColumn(maxId), name)
  return maxId
}
