import type { SequenceError } from '../core/errors.ts'
import { FAULTS_SHOWN_MAX } from './limits.ts'
import type { FaultReport } from './status.ts'

/**
 * The last faults. Equal ones are one, however many others came between: a store that is out would else push out all else
 * with the retries of a few sequences.
 */
export class FaultLog {
  /** In the order in which they happened last. */
  readonly #faults = new Map<string, FaultReport>()

  /** `atMs` is the wall clock's. */
  add(where: string, { code, message }: SequenceError, atMs: number): void {
    const key = `${where}\n${code}\n${message}`
    const { firstAtMs, times } = this.#faults.get(key) ?? { firstAtMs: atMs, times: 0 }
    this.#faults.delete(key)
    this.#faults.set(key, { firstAtMs, atMs, times: times + 1, where, code, message })
    if (this.#faults.size > FAULTS_SHOWN_MAX) this.#faults.delete(this.#faults.keys().next().value as string)
  }

  /** In no order that matters. */
  get all(): FaultReport[] {
    return [...this.#faults.values()]
  }
}
