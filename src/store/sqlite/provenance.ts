import { INSTANCES_MAX } from '../../core/limits.ts'
import { GENERATOR_NAME, type InstanceRecord, type LeaseRecord } from '../../core/store.ts'
import { nextPruneMs, PRUNE_BATCH } from '../provenance.ts'
import type { ColumnValue } from './column.ts'
import type { DatabaseFile } from './file.ts'
import type { SqliteGenerator } from './generator.ts'

const SELECT =
  'SELECT sequence, start_id AS "start", end_id AS "end", instance, time_ms AS timeMs FROM seqsvr_leases'

const FIND = `${SELECT} WHERE sequence = ? AND start_id <= ? ORDER BY start_id DESC LIMIT 1`

const FIRST_PAGE = `${SELECT} ORDER BY sequence, start_id LIMIT ?`

const PAGE = `${SELECT} WHERE (sequence, start_id) > (?, ?) ORDER BY sequence, start_id LIMIT ?`

const POSITION = 'SELECT max_id AS maxId FROM segments WHERE app_tag = ?'

const INSTANCES = `
SELECT instance, max(time_ms) AS seenAtMs, count(*) AS leases FROM seqsvr_leases WHERE time_ms >= ?
GROUP BY instance ORDER BY seenAtMs DESC LIMIT ?`

/** Whether there is a later record is asked of each, rather than searched for. */
const OLDEST = `
SELECT sequence, start_id AS "start", time_ms AS timeMs, EXISTS (
  SELECT 1 FROM seqsvr_leases AS later WHERE later.sequence = old.sequence AND later.start_id > old.start_id
) AS superseded
FROM seqsvr_leases AS old WHERE time_ms > ? AND time_ms < ? ORDER BY time_ms LIMIT ?`

const DELETE = 'DELETE FROM seqsvr_leases WHERE sequence = ? AND start_id = ?'

interface Row {
  readonly sequence: string
  readonly start: bigint
  readonly end: ColumnValue
  readonly instance: string
  readonly timeMs: bigint
}

/** The leases on record in SQLite: each call is one transaction, as the methods of `ProvenanceStore` say. */
export class SqliteProvenance {
  readonly #file: DatabaseFile
  readonly #generator: SqliteGenerator

  constructor(file: DatabaseFile, generator: SqliteGenerator) {
    this.#file = file
    this.#generator = generator
  }

  find(sequence: string, id: bigint): LeaseRecord | undefined {
    const [record] = this.#records(FIND, sequence, id)
    return record !== undefined && id < record.end ? record : undefined
  }

  page(after: Pick<LeaseRecord, 'sequence' | 'start'> | undefined, limit: number): LeaseRecord[] {
    if (after === undefined) return this.#records(FIRST_PAGE, limit)
    return this.#records(PAGE, after.sequence, after.start, limit)
  }

  positions(sequences: readonly string[]): Map<string, bigint> {
    const positions = this.#file.transaction(
      (prepare) =>
        new Map(
          sequences.flatMap((name) => {
            const row = prepare(POSITION).get(name) as { maxId: ColumnValue } | undefined
            return row === undefined ? [] : [[name, BigInt(row.maxId)]]
          }),
        ),
    )
    if (sequences.includes(GENERATOR_NAME)) positions.set(GENERATOR_NAME, this.#generator.position())
    return positions
  }

  instances(sinceMs: number): InstanceRecord[] {
    return this.#file.transaction((prepare) => {
      const rows = prepare(INSTANCES).all(sinceMs, INSTANCES_MAX) as {
        instance: string
        seenAtMs: bigint
        leases: bigint
      }[]
      return rows.map(({ instance, seenAtMs, leases }) => ({
        instance,
        seenAtMs: Number(seenAtMs),
        leases: Number(leases),
      }))
    })
  }

  prune(ageMs: number, afterMs: number): { pruned: number; nextMs?: number } {
    return this.#file.transaction((prepare) => {
      const rows = prepare(OLDEST).all(afterMs, Date.now() - ageMs, PRUNE_BATCH) as (Row & {
        superseded: bigint
      })[]
      const superseded = rows.filter((row) => row.superseded === 1n)
      for (const { sequence, start } of superseded) prepare(DELETE).run(sequence, start)
      const times = rows.map(({ timeMs }) => Number(timeMs))
      return { pruned: superseded.length, ...nextPruneMs(times, afterMs) }
    })
  }

  #records(sql: string, ...values: (string | number | bigint)[]): LeaseRecord[] {
    return this.#file.transaction((prepare) =>
      (prepare(sql).all(...values) as Row[]).map(({ sequence, start, end, instance, timeMs }) => ({
        sequence,
        start,
        end: BigInt(end),
        instance,
        timeMs: Number(timeMs),
      })),
    )
  }
}
