import type { Lease } from '../../core/lease.ts'
import { coalesced, leasedBefore } from '../provenance.ts'
import { type ColumnValue, toColumn } from './column.ts'
import type { Prepare } from './file.ts'

const LEASED_END =
  'SELECT end_id AS "end" FROM seqsvr_leases WHERE sequence = ? ORDER BY start_id DESC LIMIT 1'

const INSERT = `
INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING`

/** The end of the greatest lease on record. 0n where there is none. */
export function leasedEndOf(prepare: Prepare, sequence: string): bigint {
  const row = prepare(LEASED_END).get(sequence) as { end: ColumnValue } | undefined
  return BigInt(row?.end ?? 0n)
}

/**
 * Records leases in their own transaction: both are there, or neither. Throws REGRESSED where one of these starts is on
 * record already (I3); the transaction must then be rolled back.
 */
export function recordLeases(
  prepare: Prepare,
  sequence: string,
  leases: readonly Lease[],
  instance: string,
): void {
  const records = coalesced(leases)
  const nowMs = Date.now()
  for (const { start, end } of records) {
    const { changes } = prepare(INSERT).run(sequence, start, toColumn(end), instance, nowMs)
    if (Number(changes) === 0) throw leasedBefore(sequence, records)
  }
}
