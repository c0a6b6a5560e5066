import { describe, expect, it } from 'vitest'
import type { LeaseSource } from '../../src/core/lease.ts'
import { LEASE_IDS_MAX, LEASE_TARGET_MS, WAIT_MS_MAX, WAITERS_MAX } from '../../src/core/limits.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** A row of `segments` with a step, in a store whose commits take so long. Counts what it is asked for. */
class SlowSegment implements LeaseSource {
  transactions = 0
  #maxId = 1
  readonly #step: number
  readonly #commitMs: number
  readonly #clock: VirtualClock

  constructor(step: number, commitMs: number, clock: VirtualClock) {
    this.#step = step
    this.#commitMs = commitMs
    this.#clock = clock
  }

  async lease(ids: number) {
    this.transactions++
    const start = this.#maxId
    this.#maxId += Math.ceil(ids / this.#step) * this.#step
    const end = this.#maxId
    await this.#clock.pause(this.#commitMs)
    return [{ start: BigInt(start), end: BigInt(end) }]
  }
}

/** Takes ids at a steady rate in virtual time; tells of the transactions, and of the takes that had to wait. */
async function load(
  sequence: Sequence,
  clock: VirtualClock,
  idsPerMs: number,
  forMs: number,
): Promise<number> {
  let waits = 0
  for (let ms = 0; ms < forMs; ms++) {
    for (let i = 0; i < idsPerMs; i++) if (typeof sequence.take() === 'object') waits++
    await clock.advance(1)
  }
  return waits
}

function open(source: LeaseSource, clock: VirtualClock): Sequence {
  return new Sequence({
    source,
    clock,
    random: Math.random,
    limits: {
      leaseTargetMs: LEASE_TARGET_MS,
      leaseIdsMax: LEASE_IDS_MAX,
      waitMsMax: WAIT_MS_MAX,
      waitersMax: WAITERS_MAX,
    },
    observe: () => {},
  })
}

describe('a steady load on one sequence', () => {
  it.each([2, 200])(
    'I8: 20,000 ids a second with step 1000 and commits of %i ms: once adapted, less than a transaction a second and nobody waits',
    async (commitMs) => {
      const clock = new VirtualClock()
      const source = new SlowSegment(1000, commitMs, clock)
      const sequence = open(source, clock)
      await load(sequence, clock, 20, 5_000)
      const before = source.transactions
      const waits = await load(sequence, clock, 20, 10_000)
      expect(waits).toBe(0)
      expect(source.transactions - before).toBeLessThan(10)
      sequence.close()
    },
  )

  it('a lease shrinks again when the load is gone', async () => {
    const clock = new VirtualClock()
    const sequence = open(new SlowSegment(10, 2, clock), clock)
    await load(sequence, clock, 10, 5_000)
    expect(sequence.left).toBeGreaterThan(10_000)
    for (let i = 0; i < 400 && sequence.left > 100; i++) {
      for (let k = 0; k < 200; k++) sequence.take()
      await clock.advance(60_000)
    }
    expect(sequence.left).toBeLessThanOrEqual(400)
    sequence.close()
  })
})
