import type { Id } from '../../src/core/id.ts'
import { RuleClock } from '../../src/rules/rule-clock.ts'
import { moveCounter } from '../../src/store/counter.ts'
import { SimulatedDatabase, type Transaction } from './database.ts'
import type { Parts } from './parts.ts'
import { WatchedSequence } from './watched-sequence.ts'

/** Answers with what a transaction grants before its commit is known (I2). */
class EarlyDatabase extends SimulatedDatabase {
  override run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const answerAtOnce = async (transaction: Transaction) => {
        const result = await work(transaction)
        resolve(result)
        return result
      }
      super.run(answerAtOnce).then(resolve, reject)
    })
  }
}

/** Refuses, but keeps no record of it (I3). */
class ForgetfulDatabase extends SimulatedDatabase {
  override raiseFloor(): void {}
}

/** Holds a few ids besides its buffer, and goes on serving them when the store has refused (I3). */
class HoardingSequence extends WatchedSequence {
  #hoard: Id[] = []

  override take(): Id | Promise<Id> {
    if (this.#hoard.length === 0 && this.left >= HOARD_IDS) this.#hoard = this.hoard(HOARD_IDS)
    const id = this.#hoard.shift()
    if (id === undefined) return super.take()
    this.serve(id, false)
    return id
  }

  override renew(): void {
    this.#hoard = []
    super.renew()
  }

  override close(...reason: Parameters<WatchedSequence['close']>): void {
    this.#hoard = []
    super.close(...reason)
  }
}

const HOARD_IDS = 4

/** Shows what the wall clock shows, also where that is set back (I10). */
class WallClock extends RuleClock {
  readonly #wallMs: () => number

  constructor(wallMs: () => number, monotonicMs: () => number) {
    super(wallMs, monotonicMs)
    this.#wallMs = wallMs
  }

  override seconds(): number {
    return Math.floor(this.#wallMs() / 1000)
  }
}

/** Cores that break an invariant, what they are, and the invariants that the simulation finds broken. */
export const BROKEN: readonly {
  readonly what: string
  readonly finds: RegExp
  readonly parts: Partial<Parts>
}[] = [
  {
    what: 'a store that answers before the commit is known (I2)',
    finds: /^I2: /,
    parts: { Database: EarlyDatabase },
  },
  {
    what: 'a store that answers before the commit is known, by the ids that come twice (I1)',
    finds: /^I1: /,
    parts: { Database: EarlyDatabase },
  },
  {
    what: 'a store that keeps no record of its refusal (I3)',
    finds: /^I3: .* while a refusal stands/,
    parts: { Database: ForgetfulDatabase },
  },
  {
    what: 'a sequence that does not tell the store what it has seen (I3)',
    finds: /^I3: .* but has seen/,
    parts: { source: (source) => ({ lease: (ids) => source.lease(ids, 0n) }) },
  },
  {
    what: 'a buffer that keeps its ids when the store has refused (I3)',
    finds: /^I2, I3: /,
    parts: { Sequence: HoardingSequence },
  },
  {
    what: 'a counter whose clock runs back (I10)',
    finds: /^I[12]/,
    parts: { Clock: WallClock },
  },
  {
    what: 'a counter that starts again in a period that is over (I1, I10)',
    finds: /^I[135]: /,
    parts: {
      moveCounter: (key, row, demand) =>
        moveCounter(key, row && row.updateSeconds < demand.untilSeconds ? row : undefined, demand),
    },
  },
]
