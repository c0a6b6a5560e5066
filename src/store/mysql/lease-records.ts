import type { Lease } from '../../core/lease.ts'
import { coalesced, leasedBefore } from '../provenance.ts'
import { isDuplicateKeyError } from './errors.ts'
import type { Session } from './session.ts'

/** The server's clock, in ms, without the hour that local time repeats in autumn. */
export const NOW_MS = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"

/** The end of the greatest lease on record of the sequence that is its one value: a look at one end of the key. */
export const SELECT_LEASED_END =
  'SELECT end_id FROM seqsvr_leases WHERE sequence = ? ORDER BY start_id DESC LIMIT 1'

/**
 * Records leases in their own transaction: both are there, or neither. Throws REGRESSED where one of these starts is on
 * record already (I3); the transaction must then be rolled back.
 */
export async function recordLeases(
  session: Pick<Session, 'run'>,
  sequence: string,
  leases: readonly Lease[],
  instance: string,
): Promise<void> {
  const records = coalesced(leases)
  const rows = records.map(() => `(?, ?, ?, ?, ${NOW_MS})`).join()
  await session
    .run(
      `INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES ${rows}`,
      records.flatMap(({ start, end }) => [sequence, start, end, instance]),
    )
    .catch((error: unknown) => {
      throw isDuplicateKeyError(error) ? leasedBefore(sequence, records) : error
    })
}
