import type { Id } from '../core/id.ts'
import { aborted, type IdClientError } from './errors.ts'

interface Waiter {
  readonly deadlineMs: number
  readonly resolve: (id: Id) => void
  readonly reject: (error: IdClientError) => void
}

/** Callers that wait for an id, in order of arrival, and so of deadline. One timer serves them all. */
export class Waiters {
  readonly #waitMsMax: number
  readonly #late: () => IdClientError
  readonly #waiting = new Set<Waiter>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Each may wait `waitMsMax` and then fails with what `late` gives. */
  constructor(waitMsMax: number, late: () => IdClientError) {
    this.#waitMsMax = waitMsMax
    this.#late = late
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Resolves with an id that `serve` is given; rejects with ABORTED when the signal is, or with what `fail` is given. */
  wait(signal: AbortSignal | undefined): Promise<Id> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#remove(waiter)
        reject(aborted(signal as AbortSignal))
      }
      const waiter: Waiter = {
        deadlineMs: performance.now() + this.#waitMsMax,
        resolve: (id) => {
          signal?.removeEventListener('abort', abort)
          resolve(id)
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort)
      this.#waiting.add(waiter)
      this.#timer ??= setTimeout(() => this.#expire(), this.#waitMsMax)
    })
  }

  /** Gives an id to who has waited longest. The caller makes sure that somebody waits. */
  serve(id: Id): void {
    const [first] = this.#waiting as Iterable<Waiter> as [Waiter]
    this.#remove(first)
    first.resolve(id)
  }

  fail(error: IdClientError): void {
    for (const waiter of this.#waiting) {
      this.#remove(waiter)
      waiter.reject(error)
    }
  }

  #remove(waiter: Waiter): void {
    this.#waiting.delete(waiter)
    if (this.#waiting.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The timer is set for who waited first when it was set, so that somebody who came later may be first by now. */
  #expire(): void {
    this.#timer = undefined
    const nowMs = performance.now()
    for (const waiter of this.#waiting) {
      if (waiter.deadlineMs > nowMs) {
        this.#timer = setTimeout(() => this.#expire(), waiter.deadlineMs - nowMs)
        return
      }
      this.#remove(waiter)
      waiter.reject(this.#late())
    }
  }
}
