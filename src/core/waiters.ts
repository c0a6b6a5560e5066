import type { Clock } from './clock.ts'
import type { SequenceError } from './errors.ts'

/** A request that found too few ids. */
interface Waiter {
  readonly count: number
  readonly deadlineMs: number
  /** Whether its ids are there now. */
  readonly ready: () => boolean
  /** Takes its ids and settles its promise. */
  readonly serve: () => void
  readonly fail: (error: SequenceError) => void
}

/** Requests that wait for ids of one sequence, in order of arrival, and so of deadline. One timer serves them all. */
export class Waiters {
  readonly #clock: Clock
  readonly #waitMsMax: number
  readonly #late: () => SequenceError
  #waiting: Waiter[] = []
  #ids = 0
  #cancelDeadline: (() => void) | undefined

  /** Each request may wait `waitMsMax` and then fails with what `late` gives. */
  constructor(clock: Clock, waitMsMax: number, late: () => SequenceError) {
    this.#clock = clock
    this.#waitMsMax = waitMsMax
    this.#late = late
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Ids that they ask for together. */
  get ids(): number {
    return this.#ids
  }

  /** Resolves with what `take` gives once `ready` holds at a call of `serve`. */
  wait<T>(count: number, ready: () => boolean, take: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadlineMs = this.#clock.now() + this.#waitMsMax
      this.#waiting.push({ count, deadlineMs, ready, serve: () => resolve(take()), fail: reject })
      this.#ids += count
      if (this.#waiting.length === 1) this.#armDeadline()
    })
  }

  /** In order; one whose ids are not all there keeps its place while smaller ones behind it are served (I8). */
  serve(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const waiter of waiting) {
      if (!waiter.ready()) {
        this.#waiting.push(waiter)
        continue
      }
      this.#ids -= waiter.count
      waiter.serve()
    }
    this.#armDeadline()
  }

  fail(error: SequenceError): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#ids = 0
    this.#armDeadline()
    for (const waiter of waiting) waiter.fail(error)
  }

  #armDeadline(): void {
    this.#cancelDeadline?.()
    const first = this.#waiting[0]
    this.#cancelDeadline =
      first && this.#clock.after(first.deadlineMs - this.#clock.now(), () => this.#expire())
  }

  #expire(): void {
    const now = this.#clock.now()
    for (
      let first = this.#waiting[0];
      first !== undefined && first.deadlineMs <= now;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#ids -= first.count
      first.fail(this.#late())
    }
    this.#armDeadline()
  }
}
