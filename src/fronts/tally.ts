import type { ErrorCode, SequenceError } from '../core/errors.ts'
import type { FailureCount } from '../status/front-figures.ts'

/** A reply that hands out ids, or says why not. */
export interface Counted {
  readonly ids?: number
  readonly error?: SequenceError | undefined
}

/** What one front has handed out and refused since it was made. Plain numbers: `issued` is on the way of every id. */
export class Tally {
  issued = 0
  readonly #failures = new Map<ErrorCode, FailureCount>()

  /** By code: their number is bounded, whatever clients send (I9). */
  get failures(): ReadonlyMap<ErrorCode, FailureCount> {
    return this.#failures
  }

  /** Takes note of a reply. Hot path. */
  count({ ids, error }: Counted): void {
    if (ids !== undefined) this.issued += ids
    if (error !== undefined) this.failed(error)
  }

  /** Takes note of a request that failed. */
  failed({ code, message }: SequenceError): void {
    const atMs = Date.now()
    const { firstAtMs, times } = this.#failures.get(code) ?? { firstAtMs: atMs, times: 0 }
    this.#failures.set(code, { message, firstAtMs, atMs, times: times + 1 })
  }
}
