import type { Logger } from '@logtape/logtape'
import { SequenceError } from '../core/errors.ts'
import type { ProvenanceStore } from '../core/store.ts'

const DAY_MS = 86_400_000

/** Time between two prunings of one instance: half of it to all of it, so that a fleet does not do it at once. */
const PAUSE_MS = 3_600_000

/** Forgets leases on record that are older than `days`, every hour or so. Does not keep the process alive. */
export function startPruning(
  provenance: ProvenanceStore,
  days: number,
  random: () => number,
  log: Logger,
): void {
  const wait = () => setTimeout(run, PAUSE_MS * (0.5 + random() / 2)).unref()
  const run = async () => {
    try {
      const pruned = await prune(provenance, days * DAY_MS)
      if (pruned > 0) log.info(`forgot ${pruned} leases older than ${days} days`)
    } catch (error) {
      if (!(error instanceof SequenceError)) throw error
      if (error.code === 'SHUTTING_DOWN') return
      log.warn(`old leases stay on record for now: ${error.message}`, { error: error.code })
    }
    wait()
  }
  wait()
}

/** Forgets leases older than `ageMs`, one small transaction after another. Resolves with how many. */
export async function prune(provenance: ProvenanceStore, ageMs: number): Promise<number> {
  let total = 0
  for (let afterMs: number | undefined = 0; afterMs !== undefined; ) {
    const { pruned, nextMs }: { pruned: number; nextMs?: number } = await provenance.prune(ageMs, afterMs)
    total += pruned
    afterMs = nextMs
  }
  return total
}
