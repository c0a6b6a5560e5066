import { INSTANCES_MAX } from '../../core/limits.ts'
import {
  GENERATOR_NAME,
  type GeneratorAgreement,
  type InstanceRecord,
  type LeaseRecord,
  type ProvenanceStore,
} from '../../core/store.ts'
import { leaseStart } from '../generator.ts'
import { nextPruneMs, PRUNE_BATCH } from '../provenance.ts'
import { readState } from './grant.ts'
import { NOW_MS } from './lease-records.ts'
import type { Preparation } from './preparation.ts'
import { segmentRowOf } from './segments.ts'
import type { Row, Session } from './session.ts'
import type { Transactions } from './transactions.ts'

const SELECT = 'SELECT sequence, start_id, end_id, instance, time_ms FROM seqsvr_leases'

const FIND = `${SELECT} WHERE sequence = ? AND start_id <= ? ORDER BY start_id DESC LIMIT 1`

const FIRST_PAGE = `${SELECT} ORDER BY sequence, start_id LIMIT ?`

const PAGE = `
${SELECT} WHERE sequence > ? OR (sequence = ? AND start_id > ?) ORDER BY sequence, start_id LIMIT ?`

const INSTANCES = `
SELECT instance, MAX(time_ms) AS seen_ms, COUNT(*) AS leases FROM seqsvr_leases WHERE time_ms >= ?
GROUP BY instance ORDER BY seen_ms DESC LIMIT ?`

/** Read without locks. Whether there is a later record is asked of each, rather than searched for. */
const OLDEST = `
SELECT sequence, start_id, time_ms, EXISTS (
  SELECT 1 FROM seqsvr_leases AS later WHERE later.sequence = old.sequence AND later.start_id > old.start_id
) AS superseded
FROM seqsvr_leases AS old WHERE time_ms > ? AND time_ms < ${NOW_MS} - ? ORDER BY time_ms LIMIT ?`

const DELETE = 'DELETE FROM seqsvr_leases WHERE sequence = ? AND start_id = ?'

export interface MysqlProvenanceOptions {
  readonly transactions: Transactions
  readonly preparation: Preparation
  readonly agreement: GeneratorAgreement
}

/** The rows of `seqsvr_leases`. */
export class MysqlProvenance implements ProvenanceStore {
  readonly #options: MysqlProvenanceOptions

  constructor(options: MysqlProvenanceOptions) {
    this.#options = options
  }

  async find(sequence: string, id: bigint): Promise<LeaseRecord | undefined> {
    const [record] = await this.#records(FIND, [sequence, id])
    return record !== undefined && id < record.end ? record : undefined
  }

  page(
    after: Pick<LeaseRecord, 'sequence' | 'start'> | undefined,
    limit: number,
  ): Promise<readonly LeaseRecord[]> {
    if (after === undefined) return this.#records(FIRST_PAGE, [limit])
    return this.#records(PAGE, [after.sequence, after.sequence, after.start, limit])
  }

  positions(sequences: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const { agreement } = this.#options
    return this.#run(async (session) => {
      const positions = await maxIdsOf(session, sequences)
      if (!sequences.includes(GENERATOR_NAME)) return positions
      const { maxId } = await readState(session, agreement, false)
      return positions.set(GENERATOR_NAME, leaseStart(maxId + 1n, agreement))
    })
  }

  instances(sinceMs: number): Promise<readonly InstanceRecord[]> {
    return this.#run(async (session) =>
      (await session.rows(INSTANCES, [sinceMs, INSTANCES_MAX])).map((row) => ({
        instance: String(row.instance),
        seenAtMs: Number(row.seen_ms),
        leases: Number(row.leases),
      })),
    )
  }

  prune(ageMs: number, afterMs: number): Promise<{ pruned: number; nextMs?: number }> {
    // READ COMMITTED: a row that another instance has pruned meanwhile must not lock the gap where it was, which a lease
    // may need. The rows themselves are needed by nobody.
    return this.#run(async (session) => {
      const rows = await session.rows(OLDEST, [afterMs, ageMs, PRUNE_BATCH])
      const superseded = rows.filter((row) => Number(row.superseded) === 1)
      // One by one: with several keys in a statement the server may scan the table, and lock every row in it.
      for (const row of superseded) await session.run(DELETE, [String(row.sequence), BigInt(row.start_id)])
      const times = rows.map((row) => Number(row.time_ms))
      return { pruned: superseded.length, ...nextPruneMs(times, afterMs) }
    }, 'READ COMMITTED')
  }

  #records(sql: string, values: readonly (string | number | bigint)[]): Promise<LeaseRecord[]> {
    return this.#run(async (session) => (await session.rows(sql, values)).map(recordOf))
  }

  async #run<T>(work: (session: Session) => Promise<T>, isolation?: 'READ COMMITTED'): Promise<T> {
    await this.#options.preparation.tables()
    return this.#options.transactions.run(work, isolation)
  }
}

async function maxIdsOf(session: Session, names: readonly string[]): Promise<Map<string, bigint>> {
  const list = new Array(names.length).fill('?').join()
  const rows = await session.rows(
    `SELECT app_tag AS name, max_id AS maxId, step FROM segments WHERE app_tag IN (${list})`,
    names,
  )
  // By name, since a column's collation may take other names for these.
  const maxIds = new Map(rows.map(segmentRowOf).map(({ name, maxId }) => [name, maxId]))
  return new Map(names.flatMap((name) => (maxIds.has(name) ? [[name, maxIds.get(name) as bigint]] : [])))
}

/** Binary columns come as bytes. */
function recordOf(row: Row): LeaseRecord {
  return {
    sequence: String(row.sequence),
    start: BigInt(row.start_id),
    end: BigInt(row.end_id),
    instance: String(row.instance),
    timeMs: Number(row.time_ms),
  }
}
