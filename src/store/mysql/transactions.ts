import { setTimeout as delay } from 'node:timers/promises'
import { SequenceError } from '../../core/errors.ts'
import type { Connections } from './connections.ts'
import { isLockError, toSequenceError } from './errors.ts'
import type { Session } from './session.ts'

export interface TransactionOptions {
  readonly connections: Connections
  /** Deadline of a whole transaction: waiting for a connection, connecting and every attempt. */
  readonly timeoutMs: number
  /** Uniform in `[0, 1)`; spreads the attempts of a fleet. */
  readonly random: () => number
  /** Names the server in errors. */
  readonly description: string
}

/** Attempts in the face of deadlocks and lock time-outs, which only other programs on the same tables cause. */
const ATTEMPTS_MAX = 5

/** Longest pause before the second attempt; it doubles with each further one. */
const PAUSE_MS = 4

/** Runs transactions: one deadline each, another attempt where nothing can have been committed. */
export class Transactions {
  readonly #options: TransactionOptions

  constructor(options: TransactionOptions) {
    this.#options = options
  }

  /**
   * Runs `work` between START TRANSACTION and COMMIT and resolves with its result once the commit is acknowledged
   * (I2). `work` may run several times. Rejects with the `SequenceError` that `work` throws, after a rollback, or
   * with STORE_UNAVAILABLE or STORE_MISCONFIGURED: then nothing was committed, or, after a lost COMMIT, nobody knows.
   * Without `isolation` it is REPEATABLE READ.
   */
  async run<T>(work: (session: Session) => Promise<T>, isolation?: 'READ COMMITTED'): Promise<T> {
    const deadlineMs = performance.now() + this.#options.timeoutMs
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(work, deadlineMs, isolation)
      if ('result' in outcome) return outcome.result
      const pauseMs = outcome.atOnce ? 0 : PAUSE_MS * 2 ** (attempt - 1) * this.#options.random()
      const hopeless = attempt === ATTEMPTS_MAX || performance.now() + pauseMs >= deadlineMs
      if (!outcome.again || hopeless) throw toSequenceError(outcome.error, this.#options.description)
      if (pauseMs > 0) await delay(pauseMs)
    }
  }

  async #attempt<T>(
    work: (session: Session) => Promise<T>,
    deadlineMs: number,
    isolation: 'READ COMMITTED' | undefined,
  ): Promise<Outcome<T>> {
    const { connections, timeoutMs, description } = this.#options
    let session: Session
    let reused: boolean
    try {
      ;({ session, reused } = await connections.acquire(deadlineMs))
    } catch (error) {
      return { error, again: false, atOnce: false }
    }
    const timer = setTimeout(
      () =>
        session.destroy(
          new SequenceError('STORE_UNAVAILABLE', `${description} did not answer within ${timeoutMs} ms`),
        ),
      deadlineMs - performance.now(),
    )
    let committing = false
    try {
      if (isolation !== undefined) await session.run(`SET TRANSACTION ISOLATION LEVEL ${isolation}`)
      await session.run('START TRANSACTION')
      const result = await work(session)
      committing = true
      await session.run('COMMIT')
      return { result }
    } catch (error) {
      if (committing) {
        session.destroy(error)
        return { error: commitUnknown(error, description), again: false, atOnce: false }
      }
      if (session.lost)
        // Nothing was committed. A connection that broke while it was idle says little about the server.
        return { error, again: reused && !(error instanceof SequenceError), atOnce: true }
      await session.run('ROLLBACK').catch((failure: unknown) => session.destroy(failure))
      return { error, again: isLockError(error), atOnce: false }
    } finally {
      clearTimeout(timer)
      connections.release(session)
    }
  }
}

type Outcome<T> =
  | { readonly result: T }
  | {
      readonly error: unknown
      /** Whether another attempt may help. */
      readonly again: boolean
      /** Whether that attempt need not wait. */
      readonly atOnce: boolean
    }

/** I2: what was granted is thrown away, and another attempt would be another transaction. */
function commitUnknown(error: unknown, description: string): SequenceError {
  if (error instanceof SequenceError && error.code === 'SHUTTING_DOWN') return error
  const reason = error instanceof Error ? error.message : String(error)
  return new SequenceError(
    'STORE_UNAVAILABLE',
    `${description} did not acknowledge a COMMIT, so its leases are thrown away (${reason})`,
    { cause: error },
  )
}
