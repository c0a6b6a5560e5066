import type { OffsetChange, TimeZone } from './time-zone.ts'

/** A period of a rule: the half-open range `[sinceSeconds, untilSeconds)` since 1970. */
export interface Period {
  readonly sinceSeconds: number
  readonly untilSeconds: number
}

const ENDLESS: Period = {
  sinceSeconds: Number.NEGATIVE_INFINITY,
  untilSeconds: Number.POSITIVE_INFINITY,
}

/** Past this no local time is the same as before a change: offsets differ by no more than 26 hours. */
const CHANGE_SECONDS_MAX = 26 * 3_600

/**
 * The periods of a rule: numbered `floor(local time / reset_seconds)`, the local time being that of a wall that is never
 * turned back. Where clocks go back an hour, that wall stands still until the hour is over, so that a period begins once
 * (a minute of 02:00 to 03:00 is not another one in the hour's repetition) and each is one range of UTC, the same on
 * every instance. A whole day simply gets 25 hours, or 23.
 */
export class Calendar {
  readonly #zone: TimeZone
  readonly #resetSeconds: number
  #period: Period | undefined

  /** `resetSeconds` below 1: one endless period. */
  constructor(zone: TimeZone, resetSeconds: number) {
    this.#zone = zone
    this.#resetSeconds = resetSeconds
    if (resetSeconds < 1) this.#period = ENDLESS
  }

  /** The period that a moment lies in. */
  periodAt(seconds: number): Period {
    const known = this.#period
    if (known !== undefined && seconds >= known.sinceSeconds && seconds < known.untilSeconds) return known
    const number = Math.floor(this.#wallAt(seconds) / this.#resetSeconds)
    this.#period = {
      sinceSeconds: this.#firstAt(number * this.#resetSeconds),
      untilSeconds: this.#firstAt((number + 1) * this.#resetSeconds),
    }
    return this.#period
  }

  /**
   * What a script is told of a moment, as seconds on the wall since 1970. In an hour that repeats, that is the repeated time
   * as long as it belongs to the period, and otherwise the last second before the clocks went back.
   */
  localAt(seconds: number): number {
    const local = seconds + this.#zone.offsetAt(seconds)
    if (this.#resetSeconds < 1) return local
    const wall = this.#wallAt(seconds)
    const isInPeriod = Math.floor(local / this.#resetSeconds) === Math.floor(wall / this.#resetSeconds)
    return isInPeriod ? local : wall
  }

  /** The wall that is never turned back. */
  #wallAt(seconds: number): number {
    const local = seconds + this.#zone.offsetAt(seconds)
    const change = this.#lastChange(seconds)
    return change === undefined ? local : Math.max(local, lastBefore(change))
  }

  /** The first moment at which that wall shows `wall` or more. */
  #firstAt(wall: number): number {
    const change = this.#zone.changeBetween(wall - CHANGE_SECONDS_MAX, wall + CHANGE_SECONDS_MAX)
    if (change === undefined) return wall - this.#zone.offsetAt(wall)
    if (wall <= lastBefore(change)) return wall - change.before
    return Math.max(change.atSeconds, wall - change.after)
  }

  #lastChange(seconds: number): OffsetChange | undefined {
    return this.#zone.changeBetween(seconds - CHANGE_SECONDS_MAX, seconds)
  }
}

/** What the wall showed in the last second before a change. */
function lastBefore({ atSeconds, before }: OffsetChange): number {
  return atSeconds - 1 + before
}
