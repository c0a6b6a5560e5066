import type { Answer } from './clients/client.ts'
import type { Route, StoreKind } from './fleet.ts'

type Outcome = Answer['outcome']

interface Tally {
  readonly requests: Record<Outcome, number>
  lastAcknowledgedMs: number
  longestGapMs: number
}

/** What became of the requests on one route. */
export interface RouteFigures extends Readonly<Record<Outcome, number>> {
  /** The longest time between two requests that were answered with ids, one after the other. */
  readonly longestGapMs: number
}

/** Counts requests by route, and knows when each route gave ids last. */
export class Routes {
  readonly #tallies = new Map<Route, Tally>()
  readonly #startedMs = performance.now()
  /** Routes that have to give an id, and who waits for that. */
  #awaited: { readonly routes: Set<Route>; readonly done: () => void } | undefined

  record(route: Route, outcome: Outcome): void {
    const tally = this.#open(route)
    tally.requests[outcome]++
    if (outcome !== 'acknowledged') return
    closeGap(tally)
    const awaited = this.#awaited
    if (awaited?.routes.delete(route) && awaited.routes.size === 0) awaited.done()
  }

  /** Requests with this outcome on all routes. */
  total(outcome: Outcome): number {
    let total = 0
    for (const { requests } of this.#tallies.values()) total += requests[outcome]
    return total
  }

  /** Requests acknowledged so far: by nginx, and by the instances on each store. */
  acknowledgedByPlace(): Record<'nginx' | StoreKind, number> {
    const sums = { nginx: 0, mysql: 0, sqlite: 0 }
    for (const [route, { requests }] of this.#tallies)
      sums[/^[a-z]+/.exec(route)?.[0] as keyof typeof sums] += requests.acknowledged
    return sums
  }

  /**
   * Resolves when each of these routes has given an id from now on; with those that have not, after `msMax` or when `signal`
   * aborts. One caller at a time.
   */
  async recovered(routes: readonly Route[], msMax: number, signal: AbortSignal): Promise<Route[]> {
    const missing = new Set(routes)
    if (missing.size > 0)
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, msMax)
        signal.addEventListener('abort', done)
        this.#awaited = { routes: missing, done }
      })
    this.#awaited = undefined
    return [...missing]
  }

  /** The figures of every route, up to now. */
  figures(): Record<Route, RouteFigures> {
    const figures: Record<Route, RouteFigures> = {}
    for (const [route, tally] of [...this.#tallies].sort()) {
      closeGap(tally)
      figures[route] = { ...tally.requests, longestGapMs: Math.round(tally.longestGapMs) }
    }
    return figures
  }

  #open(route: Route): Tally {
    let tally = this.#tallies.get(route)
    if (tally === undefined) {
      const requests = { acknowledged: 0, failed: 0, unknown: 0 }
      tally = { requests, lastAcknowledgedMs: this.#startedMs, longestGapMs: 0 }
      this.#tallies.set(route, tally)
    }
    return tally
  }
}

function closeGap(tally: Tally): void {
  const now = performance.now()
  tally.longestGapMs = Math.max(tally.longestGapMs, now - tally.lastAcknowledgedMs)
  tally.lastAcknowledgedMs = now
}
