import { SequenceError } from '../core/errors.ts'
import type { Lease } from '../core/lease.ts'
import { GENERATOR_NAME } from '../core/store.ts'

/** Records that one pruning transaction looks at: it is over before anybody would notice. */
export const PRUNE_BATCH = 100

/** The same ids in as few leases as possible, so that a grant of many leases is one record. */
export function coalesced(leases: readonly Lease[]): Lease[] {
  const merged: Lease[] = []
  for (const lease of leases) {
    const last = merged.at(-1)
    if (last?.end === lease.start) merged[merged.length - 1] = { start: last.start, end: lease.end }
    else merged.push(lease)
  }
  return merged
}

/** The store gave ids that are on record as leased (I3): the database itself refuses a second record of the same start. */
export function leasedBefore(sequence: string, leases: readonly Lease[]): SequenceError {
  const [first, last] = [leases[0] as Lease, leases.at(-1) as Lease]
  const [subject, advance] =
    sequence === GENERATOR_NAME
      ? ['the generator', '`seqsvr sequence advance --all --by N`']
      : [JSON.stringify(sequence), '`seqsvr sequence advance`']
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: it gave ids of ${subject} from ${first.start} that seqsvr_leases has on record already. ` +
      `Move it past every id in use, with ${advance}, to go on`,
    { floor: last.end },
  )
}

/** Where the next pruning transaction begins, after one that has looked at `times` of at most `PRUNE_BATCH` records. */
export function nextPruneMs(times: readonly number[], afterMs: number): { nextMs?: number } {
  if (times.length < PRUNE_BATCH) return {}
  // Records of the same time may have been cut apart: looked at once more, unless that would never end.
  return { nextMs: Math.max(afterMs + 1, (times.at(-1) as number) - 1) }
}
