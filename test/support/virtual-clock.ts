import type { Clock } from '../../src/core/clock.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Promise reactions that one step of the core or of a simulated store may chain; twice what was counted. */
const MICROTASKS_PER_STEP = 24

/** Time that moves only when a test says so, timer by timer, with all promise reactions run in between. */
export class VirtualClock implements Clock {
  #nowMs = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#nowMs
  }

  get timers(): number {
    return this.#timers.size
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Resolves `delayMs` from now. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve))
  }

  /** Runs what promises have made ready, at the present time. */
  async settle(): Promise<void> {
    for (let i = 0; i < MICROTASKS_PER_STEP; i++) await undefined
  }

  async advance(byMs: number): Promise<void> {
    await this.settle()
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const next = this.#first()
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.delete(next)
      this.#nowMs = next.atMs
      next.callback()
      await this.settle()
    }
    this.#nowMs = untilMs
  }

  #first(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.order < first.order)
      )
        first = timer
    }
    return first
  }
}
