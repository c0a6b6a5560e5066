import type { Sequence, SequenceEvent } from '../core/sequence.ts'
import { LEASES_SHOWN_MAX, RATE_SECONDS } from './limits.ts'
import type { LeaseReport, SequenceStatus } from './status.ts'

/** A sequence that is shown, and what it does not keep itself: its last leases, and how many ids it gave each second. */
export class SequenceRecord {
  readonly name: string | null
  readonly sequence: Sequence
  readonly #leases: LeaseReport[] = []
  readonly #idsPerSecond: number[] = []
  #sampled = 0

  constructor(name: string | null, sequence: Sequence) {
    this.name = name
    this.sequence = sequence
  }

  /** Takes note of its leases. `atMs` is the wall clock's. */
  observe(event: SequenceEvent, atMs: number): void {
    if (event.type !== 'leased') return
    this.#leases.push({ atMs, ids: event.ids, tookMs: event.tookMs })
    if (this.#leases.length > LEASES_SHOWN_MAX) this.#leases.shift()
  }

  /** To be called once a second. */
  sample(): void {
    const { issued } = this.sequence
    this.#idsPerSecond.push(issued - this.#sampled)
    this.#sampled = issued
    if (this.#idsPerSecond.length > RATE_SECONDS) this.#idsPerSecond.shift()
  }

  get status(): SequenceStatus {
    const { left, leftInLease, leaseIds, issued, waiting, fault, next, leasedTo } = this.sequence
    return {
      name: this.name,
      left,
      leftInLease,
      leaseIds,
      ahead: left - leftInLease,
      issued,
      waiting,
      fault: fault?.message ?? null,
      next: next === undefined ? null : String(next),
      leasedTo: leasedTo === undefined ? null : String(leasedTo),
      idsPerSecond: [...this.#idsPerSecond],
      leases: [...this.#leases],
    }
  }
}
