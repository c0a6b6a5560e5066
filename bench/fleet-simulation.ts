import type { Lease } from '../src/core/lease.ts'
import { Sequence } from '../src/core/sequence.ts'
import { leaseCount } from '../src/store/generator.ts'
import { LEASES_MAX } from '../src/store/mysql/generator.ts'
import { VirtualClock } from '../test/support/virtual-clock.ts'

export interface FleetOptions {
  readonly instances: number
  readonly step: number
  /** What each instance is asked for. */
  readonly idsPerSecond: number
  /** What the database does, one after the other. */
  readonly transactionsPerSecond: number
}

export interface FleetFigures {
  /** Ids served, as a share of those that were asked for. */
  readonly idsShare: number
  readonly transactionsPerSecond: number
  /** The share of batches that waited for the database. */
  readonly waitedShare: number
}

const TICK_MS = 10
/** Until leases have grown to what is used in their time. */
const START_MS = 30_000
const MEASURED_MS = 10_000

/** A fleet on one database in virtual time. An instance that waits for ids is asked for no more until it has them. */
export async function simulateFleet(options: FleetOptions): Promise<FleetFigures> {
  const { instances: count, step, idsPerSecond, transactionsPerSecond } = options
  const clock = new VirtualClock()
  const batch = (idsPerSecond * TICK_MS) / 1000
  let freeAtMs = 0
  let leases = 0n
  let transactions = 0
  let batches = 0
  let waited = 0

  async function lease(ids: number): Promise<readonly Lease[]> {
    transactions++
    freeAtMs = Math.max(freeAtMs, clock.now()) + 1000 / transactionsPerSecond
    await clock.pause(freeAtMs - clock.now())
    return Array.from({ length: leaseCount(ids, step, LEASES_MAX) }, () => {
      leases++
      return { start: leases * BigInt(step), end: (leases + 1n) * BigInt(step) }
    })
  }

  const instances = Array.from({ length: count }, () => ({
    isWaiting: false,
    sequence: new Sequence({
      source: { lease },
      clock,
      random: () => 0.5,
      limits: { leaseTargetMs: 2_000, leaseIdsMax: 10_000_000, waitMsMax: 60_000, waitersMax: 10 },
      observe: () => {},
    }),
  }))

  async function run(forMs: number): Promise<void> {
    transactions = 0
    batches = 0
    waited = 0
    for (const endMs = clock.now() + forMs; clock.now() < endMs; await clock.advance(TICK_MS))
      for (const instance of instances) {
        if (instance.isWaiting) continue
        batches++
        const ids = instance.sequence.takeMany(batch)
        if (Array.isArray(ids)) continue
        waited++
        instance.isWaiting = true
        ids.then(() => {
          instance.isWaiting = false
        })
      }
  }

  await run(START_MS)
  await run(MEASURED_MS)
  return {
    idsShare: batches / (count * (MEASURED_MS / TICK_MS)),
    transactionsPerSecond: transactions / (MEASURED_MS / 1000),
    waitedShare: waited / batches,
  }
}
