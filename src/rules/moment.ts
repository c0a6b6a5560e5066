import type { Calendar } from './calendar.ts'
import type { Counter } from './counter.ts'
import { IdsAhead } from './ids-ahead.ts'
import { timeLineOf } from './time-line.ts'

/** A second of a rule, and what its script has made ahead with it, which is thrown away with it (I9). */
export class Moment {
  readonly seconds: number
  readonly timeLine: string
  readonly #ahead = new Map<Counter, IdsAhead>()

  constructor(calendar: Calendar, seconds: number) {
    this.seconds = seconds
    this.timeLine = timeLineOf(calendar, seconds)
  }

  aheadOf(counter: Counter): IdsAhead {
    let ahead = this.#ahead.get(counter)
    if (ahead === undefined) {
      ahead = new IdsAhead(counter.step)
      this.#ahead.set(counter, ahead)
    }
    return ahead
  }
}
