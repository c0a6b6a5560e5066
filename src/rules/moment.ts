import type { Calendar } from './calendar.ts'
import type { Counter } from './counter.ts'
import { IdsAhead } from './ids-ahead.ts'
import { MOMENTS_MAX } from './limits.ts'
import { timeLineOf } from './time-line.ts'

/** A second of a rule, and what its script has made ahead with it. */
export interface Moment {
  readonly timeLine: string
  aheadOf(counter: Counter): IdsAhead
}

/**
 * The last seconds of a rule, with what they hold (I9): there are several at a time where a counter follows a store that is ahead of
 * the clock, and where a number was waited for.
 */
export class Moments {
  readonly #calendar: Calendar
  readonly #moments = new Map<number, Moment>()

  constructor(calendar: Calendar) {
    this.#calendar = calendar
  }

  at(seconds: number): Moment {
    const held = this.#moments.get(seconds)
    if (held !== undefined) return held
    if (this.#moments.size === MOMENTS_MAX)
      for (const oldest of this.#moments.keys()) {
        this.#moments.delete(oldest)
        break
      }
    const moment = momentOf(this.#calendar, seconds)
    this.#moments.set(seconds, moment)
    return moment
  }
}

function momentOf(calendar: Calendar, seconds: number): Moment {
  const idsAhead = new Map<Counter, IdsAhead>()
  return {
    timeLine: timeLineOf(calendar, seconds),
    aheadOf(counter) {
      let ahead = idsAhead.get(counter)
      if (ahead === undefined) {
        ahead = new IdsAhead(counter.step, counter.lastOfPeriod)
        idsAhead.set(counter, ahead)
      }
      return ahead
    },
  }
}
