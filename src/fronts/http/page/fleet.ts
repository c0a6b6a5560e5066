import type { InstanceRecord } from '../../../core/store.ts'
import { FLEET_MS, FLEET_SINCE_MS } from './limits.ts'

/** The instances that leased at `sinceMs` or later, the latest first; none where the store keeps no record of them. */
export type FleetOf = (sinceMs: number) => Promise<readonly InstanceRecord[]>

/** Who else is on the store, as it was known lately: the page never waits for the store, and asks it seldom. */
export class RecentFleet {
  readonly #ask: FleetOf
  #members: readonly InstanceRecord[] = []
  #askedMs = Number.NEGATIVE_INFINITY
  #asking = false

  constructor(ask: FleetOf) {
    this.#ask = ask
  }

  /** What was known last. Asks the store in passing where that is some seconds ago; a failure changes nothing. */
  get members(): readonly InstanceRecord[] {
    const nowMs = performance.now()
    if (!this.#asking && nowMs - this.#askedMs >= FLEET_MS) {
      this.#asking = true
      this.#askedMs = nowMs
      this.#ask(Date.now() - FLEET_SINCE_MS)
        .then(
          (members) => {
            this.#members = members
          },
          // Told elsewhere on the page: it is the store's fault.
          () => {},
        )
        .finally(() => {
          this.#asking = false
        })
    }
    return this.#members
  }
}
