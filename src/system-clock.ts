import type { Clock } from './core/clock.ts'

/** Real time, from the monotonic clock of the system (I10). */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
