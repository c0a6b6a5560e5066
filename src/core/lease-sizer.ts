/** What decides how many ids to ask for: the target time that a grant should last, and the most it may hold. */
export interface LeaseSizing {
  readonly leaseTargetMs: number
  readonly leaseIdsMax: number
}

/** A grant that lasts more than this many target times was too large. Growth doubles, so 4 leaves no flutter. */
const SHRINK_AFTER_TARGETS = 4

/**
 * Adapts the size of grants to demand: twice the last one when it lasted less than the target time, half when it
 * lasted far longer. The store's step is the floor, since stores grant whole leases.
 */
export class LeaseSizer {
  readonly #sizing: LeaseSizing
  #granted = 1
  #grantedAtMs = Number.NEGATIVE_INFINITY

  constructor(sizing: LeaseSizing) {
    this.#sizing = sizing
  }

  /** Left ids at which to fetch ahead: half of the last grant still covers half of the target time. */
  get lowWater(): number {
    return this.#granted / 2
  }

  /** How many ids to ask for now, when `waiting` ids are asked for by requests that wait already. */
  next(nowMs: number, waiting: number): number {
    const lastedMs = nowMs - this.#grantedAtMs
    const { leaseTargetMs, leaseIdsMax } = this.#sizing
    let ids = this.#granted
    if (lastedMs < leaseTargetMs) ids *= 2
    else if (lastedMs > leaseTargetMs * SHRINK_AFTER_TARGETS) ids /= 2
    return Math.max(1, Math.min(leaseIdsMax, Math.max(Math.floor(ids), waiting)))
  }

  /** Notes that `ids` ids were granted. */
  granted(nowMs: number, ids: number): void {
    this.#granted = ids
    this.#grantedAtMs = nowMs
  }
}
