/** How fast the time passes while it is ahead of the wall clock: it falls back without ever standing still. */
const CATCH_UP_RATE = 0.5

/**
 * The time of rules: the wall clock, but never running back (I10). When the wall clock is set back, this one goes on at
 * half its rate until the two meet, so that every period still begins, and begins once.
 */
export class RuleClock {
  readonly #wallMs: () => number
  readonly #monotonicMs: () => number
  #lastMs: number
  #readAtMs: number

  constructor(wallMs: () => number, monotonicMs: () => number) {
    this.#wallMs = wallMs
    this.#monotonicMs = monotonicMs
    this.#lastMs = wallMs()
    this.#readAtMs = monotonicMs()
  }

  /** Whole seconds since 1970. */
  seconds(): number {
    const nowMs = this.#monotonicMs()
    const passedMs = nowMs - this.#readAtMs
    this.#readAtMs = nowMs
    this.#lastMs = Math.max(this.#wallMs(), this.#lastMs + passedMs * CATCH_UP_RATE)
    return Math.floor(this.#lastMs / 1000)
  }
}
