import { SequenceError } from '../../src/core/errors.ts'
import type { Id } from '../../src/core/id.ts'
import { WAIT_MS_MAX } from '../../src/core/limits.ts'
import type { CounterDemand, CounterGrant, CounterStore } from '../../src/core/store.ts'
import type { Calendar } from '../../src/rules/calendar.ts'
import { Counter, type CounterOptions, type TakenMany, type TakenOne } from '../../src/rules/counter.ts'
import type { Coverage } from './coverage.ts'
import { Holding, type Witness } from './witness.ts'

export interface CounterWatch {
  readonly witness: Witness
  readonly coverage: Coverage
  readonly instance: string
  /** 0: one endless period. */
  readonly resetSeconds: number
}

/** A `Counter` of which each number is watched in the period that a script would print beside it. */
export class WatchedCounter {
  readonly #counter: Counter
  readonly #options: CounterOptions
  readonly #watch: CounterWatch
  readonly #holdings = new Map<string, Holding>()
  #lastPeriod: string | undefined

  constructor(options: CounterOptions, watch: CounterWatch) {
    const { store } = options
    const watched: CounterStore = {
      reserve: (key, demand) => this.#reserve(demand, () => store.reserve(key, demand)),
      read: (key) => store.read(key),
    }
    this.#options = options
    this.#watch = watch
    this.#counter = new Counter({ ...options, store: watched })
  }

  take(): Promise<void> {
    const taken = this.#counter.take()
    if (!(taken instanceof Promise)) {
      this.#serve([taken.counter], taken.seconds, false)
      return Promise.resolve()
    }
    return this.#wait(taken, ({ counter }: TakenOne) => [counter])
  }

  takeMany(count: number): Promise<void> {
    return this.#wait(this.#counter.takeMany(count), ({ counters }: TakenMany) => counters)
  }

  isOver(seconds: number): boolean {
    return this.#counter.isOver(seconds)
  }

  close(): void {
    this.#counter.close()
  }

  async #wait<T extends { seconds: number }>(
    promise: Promise<T>,
    countersOf: (taken: T) => readonly Id[],
  ): Promise<void> {
    const { clock } = this.#options
    const { witness, coverage, instance } = this.#watch
    const sinceMs = clock.now()
    const periods = this.#holdings.size
    try {
      const taken = await promise
      if (this.#holdings.size > periods && periods > 0)
        coverage.took('counter: next period while requests wait')
      this.#serve(countersOf(taken), taken.seconds, true)
    } catch (error) {
      if (error instanceof SequenceError && error.code === 'STORE_MISCONFIGURED')
        coverage.took('counter: refuses a time too far ahead')
      throw error
    } finally {
      // What waits when a period ends may wait as long in the next one.
      const rounds = 1 + this.#holdings.size - periods + 1
      if (clock.now() - sinceMs > rounds * WAIT_MS_MAX)
        witness.violated(`I8: ${instance} let a request for a counter wait ${clock.now() - sinceMs} ms`)
    }
  }

  #serve(counters: readonly Id[], seconds: number, waited: boolean): void {
    const { witness, coverage } = this.#watch
    coverage.took(waited ? 'counter: number after a wait' : 'counter: number at once')
    const holding = this.#holding(seconds)
    if (this.#lastPeriod !== undefined && this.#lastPeriod !== holding.stream.name)
      coverage.took('counter: next period')
    this.#lastPeriod = holding.stream.name
    for (const counter of counters) witness.serve(holding, counter, waited)
  }

  async #reserve(demand: CounterDemand, reserve: () => Promise<CounterGrant>): Promise<CounterGrant> {
    const { witness, coverage } = this.#watch
    const holding = this.#holding(demand.seconds)
    try {
      const grant = await witness.ask(holding, reserve, (answer) =>
        'laterSeconds' in answer
          ? []
          : [
              {
                start: answer.first,
                end: answer.first + BigInt(answer.count - 1) * demand.step + 1n,
                subject: answer,
              },
            ],
      )
      if ('laterSeconds' in grant) coverage.took('counter: follows the time of the store')
      holding.install()
      return grant
    } catch (error) {
      const { code } = error as SequenceError
      if (code === 'EXHAUSTED' || code === 'REGRESSED') coverage.took(`counter: ${code}`)
      throw error
    }
  }

  #holding(seconds: number): Holding {
    const { witness, instance, resetSeconds } = this.#watch
    const { key, calendar } = this.#options
    const name = `${key.appName} in period ${printedPeriod(calendar, resetSeconds, seconds)}`
    const known = this.#holdings.get(name)
    if (known !== undefined) return known
    const holding = new Holding(instance, witness.stream('counter', name))
    this.#holdings.set(name, holding)
    return holding
  }
}

/** The number of the period as the wall shows it, which is what makes an id out of a counter unique. */
function printedPeriod(calendar: Calendar, resetSeconds: number, seconds: number): number {
  return resetSeconds < 1 ? 0 : Math.floor(calendar.localAt(seconds) / resetSeconds)
}
