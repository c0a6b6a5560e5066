/** What a run must have met at least once: every transition of the lease buffer, the sequence, its waiters and the counters. */
export const TRANSITIONS = [
  'buffer: install where it is empty',
  'buffer: install ahead of what is served',
  'buffer: install a lease across 2^53',
  'buffer: take, and the lease goes on',
  'buffer: take the last of a lease, and serve the next',
  'buffer: take the last id',
  'buffer: take many over several leases',
  'buffer: take from numbers to bigints',
  'buffer: take a row of the lease that is served',
  'buffer: take a row of a lease ahead, past a gap',
  'buffer: discard at a renewal',
  'buffer: discard at a refusal',
  'buffer: discard at the close',
  'sequence: idle → leasing, to fetch ahead',
  'sequence: idle → leasing, for a request that waits',
  'sequence: idle → leasing, at a renewal',
  'sequence: leasing → idle',
  'sequence: leasing → idle → leasing at once',
  'sequence: leasing, and what it gets is stale after a renewal',
  'sequence: leasing, and what fails is stale after a renewal',
  'sequence: leasing → retrying, STORE_UNAVAILABLE',
  'sequence: leasing → retrying, REGRESSED',
  'sequence: leasing → retrying, EXHAUSTED',
  'sequence: leasing → retrying, STEP_MISMATCH',
  'sequence: leasing → closed by who observes, UNKNOWN_SEQUENCE',
  'sequence: retrying → leasing, after the pause',
  'sequence: retrying → leasing, at a renewal',
  'sequence: idle → closed',
  'sequence: leasing → closed',
  'sequence: retrying → closed',
  'sequence: closed, and a grant comes too late',
  'sequence: closed, and a failure comes too late',
  'sequence: closed, and renewed in vain',
  'waiter: served',
  'waiter: overtaken by a smaller request',
  'waiter: WAIT_TIMEOUT at its deadline',
  'waiter: the fault at its deadline',
  'waiter: failed by a refusal',
  'waiter: failed by the close',
  'waiter: turned away by a fault',
  'waiter: turned away, TOO_MANY_WAITERS',
  'waiter: turned away, a row that no grant may hold',
  'counter: number at once',
  'counter: number after a wait',
  'counter: next period',
  'counter: next period while requests wait',
  'counter: follows the time of the store',
  'counter: refuses a time too far ahead',
  'counter: EXHAUSTED',
  'counter: REGRESSED',
  'counter: evicted after its period',
  'counter: clock set back',
  'store: commit',
  'store: drop before commit',
  'store: drop after commit',
  'store: drop, then commit',
  'store: stall',
  'store: roll back',
  'store: deadlock',
  'store: no answer by the deadline',
  'store: wait for a lock',
  'store: made again, above what it leased',
  'I3: refused for what the instance has seen, or for what is on record',
  'I3: excused, since nobody could have noticed',
] as const

export type Transition = (typeof TRANSITIONS)[number]

/** Counts transitions over a run. */
export class Coverage {
  readonly #counts = new Map<string, number>(TRANSITIONS.map((transition) => [transition, 0]))

  /** Crashes for a name that is not in the list. */
  took(transition: Transition): void {
    const count = this.#counts.get(transition)
    if (count === undefined) throw new Error(`TRANSITIONS lacks ${JSON.stringify(transition)}`)
    this.#counts.set(transition, count + 1)
  }

  get missing(): readonly string[] {
    return [...this.#counts].flatMap(([transition, count]) => (count === 0 ? [transition] : []))
  }

  table(): string {
    return [...this.#counts]
      .map(([transition, count]) => `${String(count).padStart(12)}  ${transition}`)
      .join('\n')
  }
}
