import type { CounterKey, CounterRow, CounterStore } from '../../src/core/store.ts'
import { moveCounter } from '../../src/store/counter.ts'

/** A store of counters in memory, with the decisions of the real ones. Several instances may share it. */
export class MemoryCounters implements CounterStore {
  readonly rows = new Map<string, CounterRow>()
  reservations = 0
  /** What every call rejects with while it is set. */
  failure: Error | undefined

  async reserve(
    key: CounterKey,
    demand: Parameters<CounterStore['reserve']>[1],
  ): ReturnType<CounterStore['reserve']> {
    if (this.failure !== undefined) throw this.failure
    const { outcome, row } = moveCounter(key, this.rows.get(nameOf(key)), demand)
    if (row !== undefined) this.rows.set(nameOf(key), row)
    this.reservations++
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  async read(key: CounterKey): Promise<CounterRow | undefined> {
    if (this.failure !== undefined) throw this.failure
    return this.rows.get(nameOf(key))
  }
}

export function nameOf({ nodeOffset, ruleName, appName }: CounterKey): string {
  return `${nodeOffset}/${ruleName}/${appName}`
}
