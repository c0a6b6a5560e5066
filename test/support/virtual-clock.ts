import type { Clock } from '../../src/core/clock.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** Time that moves only when a test says so, timer by timer, with all promise reactions run in between. */
export class VirtualClock implements Clock {
  #nowMs = 0
  /** The next one last; of the same time the one that was set first. */
  readonly #timers: Timer[] = []

  now(): number {
    return this.#nowMs
  }

  get timers(): number {
    return this.#timers.length
  }

  after(delayMs: number, callback: () => void): () => void {
    const timers = this.#timers
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
    let place = timers.length
    while (place > 0 && (timers[place - 1] as Timer).atMs <= timer.atMs) place--
    timers.splice(place, 0, timer)
    return () => {
      const index = timers.indexOf(timer)
      if (index >= 0) timers.splice(index, 1)
    }
  }

  /** Resolves `delayMs` from now. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve))
  }

  /** Runs what promises have made ready, however long their chains are, at the present time. */
  settle(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve))
  }

  async advance(byMs: number): Promise<void> {
    await this.settle()
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const next = this.#timers.at(-1)
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.pop()
      this.#nowMs = next.atMs
      next.callback()
      await this.settle()
    }
    this.#nowMs = untilMs
  }
}
