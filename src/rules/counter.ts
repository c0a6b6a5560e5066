import type { Clock } from '../core/clock.ts'
import { SequenceError, shuttingDown } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Lease, LeaseSource } from '../core/lease.ts'
import { WAIT_MS_MAX, WAITERS_MAX } from '../core/limits.ts'
import { Sequence, type SequenceEvent } from '../core/sequence.ts'
import type { CounterKey, CounterStore } from '../core/store.ts'
import type { Calendar, Period } from './calendar.ts'
import { AHEAD_SECONDS_MAX, RESERVATION_MAX } from './limits.ts'
import type { RuleClock } from './rule-clock.ts'

/** The numbers that a counter may give in one period: `first`, `first + step`, … and none above `last`. */
export interface CounterRange {
  readonly first: bigint
  readonly last: bigint
  readonly step: bigint
}

export interface CounterOptions {
  readonly key: CounterKey
  readonly store: CounterStore
  readonly range: CounterRange
  readonly calendar: Calendar
  readonly time: RuleClock
  /** How many numbers to reserve at a time. */
  readonly batchSave: number
  /** For deadlines and pauses, as everywhere in the core. */
  readonly clock: Clock
  readonly random: () => number
  readonly observe: (event: SequenceEvent) => void
}

/** A number, and a moment of the period that it belongs to: one reading of the clock for both. */
export interface TakenOne {
  readonly counter: Id
  readonly seconds: number
}

export interface TakenMany {
  readonly counters: readonly Id[]
  readonly seconds: number
}

/**
 * The counter of one rule for one app_name, in memory. The numbers of a period are a `Sequence` of their positions in it: 0 is
 * `first`, 1 is `first + step`. It is closed when the period is over, and the next one gets a sequence of its own, so that a
 * number always belongs to the period of the reading that it was taken with.
 */
export class Counter {
  readonly #options: CounterOptions
  /** The store's time where that is ahead of the clock: a period that began on another instance has begun here as well. */
  #storeSeconds = 0
  #period: Period | undefined
  #sequence: Sequence | undefined
  #last: Id | undefined
  /** All its numbers are exact as such; then they are computed without bigints. */
  readonly #isSmall: boolean
  readonly #firstNumber: number
  /** How far apart its numbers are, and the last one of a period, which is exact where it is a safe integer. */
  readonly step: number
  readonly lastOfPeriod: number

  constructor(options: CounterOptions) {
    const { first, last, step } = options.range
    this.#options = options
    this.#isSmall = last <= BigInt(Number.MAX_SAFE_INTEGER)
    this.#firstNumber = Number(first)
    this.step = Number(step)
    this.lastOfPeriod = Number(last)
  }

  /** The last number taken, in whichever period that was. */
  get last(): Id | undefined {
    return this.#last
  }

  get fault(): SequenceError | undefined {
    return this.#sequence?.fault
  }

  /** Whether it holds nothing of worth: its period is over, and nobody waits. */
  isOver(seconds: number): boolean {
    return (
      this.#sequence?.waiting === 0 && seconds >= (this.#period?.untilSeconds ?? Number.POSITIVE_INFINITY)
    )
  }

  /**
   * The next number of the present period: at once while it holds one. Rejects as `Sequence.take` does. A number taken is
   * never given again, whatever becomes of it. Hot path.
   */
  take(): TakenOne | Promise<TakenOne> {
    const seconds = this.#present()
    const position = (this.#sequence as Sequence).take()
    if (typeof position === 'object')
      return this.#orInNextPeriod(
        position.then((late) => ({ counter: this.#number(late), seconds })),
        () => this.take(),
      )
    return { counter: this.#number(position), seconds }
  }

  /** `count` numbers of one period, all or nothing. Rejects as `take` does. */
  async takeMany(count: number): Promise<TakenMany> {
    const seconds = this.#present()
    const positions = (this.#sequence as Sequence).takeMany(count)
    return this.#orInNextPeriod(
      Promise.resolve(positions).then((all) => ({
        counters: all.map((position) => this.#number(position)),
        seconds,
      })),
      () => this.takeMany(count),
    )
  }

  close(reason?: SequenceError): void {
    this.#sequence?.close(reason)
  }

  /** What waits for a number when its period ends belongs to the next one. */
  async #orInNextPeriod<T>(taken: Promise<T>, again: () => T | Promise<T>): Promise<T> {
    const sequence = this.#sequence
    try {
      return await taken
    } catch (error) {
      if (this.#sequence !== sequence) return again()
      throw error
    }
  }

  #number(position: Id): Id {
    const { first, step } = this.#options.range
    this.#last =
      this.#isSmall && typeof position === 'number'
        ? this.#firstNumber + position * this.step
        : idOf(first + BigInt(position) * step)
    return this.#last
  }

  /** Reads the clock and enters the period that it shows. */
  #present(): number {
    const seconds = Math.max(this.#options.time.seconds(), this.#storeSeconds)
    if (this.#period === undefined || seconds >= this.#period.untilSeconds) {
      this.#period = this.#options.calendar.periodAt(seconds)
      const ended = this.#sequence
      this.#sequence = this.#open(this.#period)
      ended?.close(shuttingDown())
    }
    return seconds
  }

  #open(period: Period): Sequence {
    const { clock, random, observe } = this.#options
    return new Sequence({
      source: this.#sourceOf(period),
      clock,
      random,
      observe,
      // With a target of 0 ms a reservation never grows by itself: it is batch_save, or what requests wait for.
      limits: {
        leaseTargetMs: 0,
        leaseIdsMax: RESERVATION_MAX,
        waitMsMax: WAIT_MS_MAX,
        waitersMax: WAITERS_MAX,
      },
    })
  }

  #sourceOf(period: Period): LeaseSource {
    const { key, store, range, batchSave, time } = this.#options
    let exhausted: SequenceError | undefined
    return {
      lease: async (ids, seenEnd): Promise<Lease[]> => {
        if (exhausted !== undefined) throw exhausted
        const now = Math.max(time.seconds(), this.#storeSeconds)
        const grant = await store
          .reserve(key, {
            ...period,
            ...range,
            seconds: Math.min(now, period.untilSeconds - 1),
            count: Math.ceil(ids / batchSave) * batchSave,
            seen: seenEnd === 0n ? undefined : range.first + (seenEnd - 1n) * range.step,
          })
          .catch((error: SequenceError) => {
            // Final until the next period, which has a sequence of its own.
            if (error.code === 'EXHAUSTED') exhausted = error
            throw error
          })
        if ('laterSeconds' in grant) throw this.#follow(grant.laterSeconds, now)
        const start = (grant.first - range.first) / range.step
        return [{ start, end: start + BigInt(grant.count) }]
      },
    }
  }

  /** Goes on with the store's time. What waited for the period that is over is asked for again in the new one. */
  #follow(laterSeconds: number, now: number): SequenceError {
    if (laterSeconds > now + AHEAD_SECONDS_MAX)
      return new SequenceError(
        'STORE_MISCONFIGURED',
        `the row of ${JSON.stringify(this.#options.key)} in the table counter is from ${new Date(laterSeconds * 1000).toISOString()}, ` +
          'in the future: the clock of this instance is wrong, or that of the one that wrote it was. Set the clock, or the row',
      )
    this.#storeSeconds = Math.max(this.#storeSeconds, laterSeconds)
    this.#present()
    return new SequenceError('STORE_UNAVAILABLE', 'the period is over')
  }
}

function idOf(value: bigint): Id {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
