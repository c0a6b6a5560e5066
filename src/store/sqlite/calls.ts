import type { CounterDemand, CounterKey, GeneratorAgreement } from '../../core/store.ts'
import { SqliteCounters } from './counters.ts'
import type { Driver } from './driver.ts'
import { DatabaseFile, type FileOptions } from './file.ts'
import { SqliteGenerator } from './generator.ts'
import { SqliteSegments } from './segments.ts'

export interface CallsOptions extends FileOptions {
  readonly agreement: GeneratorAgreement
  readonly uuid: string
}

/** All that the main thread may ask of the worker, by name. */
export type Calls = ReturnType<typeof openCalls>

/** Opens the synchronous store, which belongs in a thread of its own. */
export function openCalls(driver: Driver, options: CallsOptions) {
  const file = new DatabaseFile(driver, options)
  const generator = new SqliteGenerator(file, options.agreement, options.uuid)
  const segments = new SqliteSegments(file)
  const counters = new SqliteCounters(file)
  return {
    prepare: () => generator.prepare(),
    inspect: () => generator.inspect(),
    leaseGenerator: (ids: number, seenEnd: bigint) => generator.lease(ids, seenEnd),
    advanceGenerator: (ids: bigint) => generator.advanceBy(ids),
    leaseSegment: (name: string, ids: number, seenEnd: bigint) => segments.lease(name, ids, seenEnd),
    existing: (names: readonly string[]) => segments.existing(names),
    list: (after: string, limit: number) => segments.list(after, limit),
    create: (name: string, start: bigint, step: number) => segments.create(name, start, step),
    advanceTo: (name: string, start: bigint) => segments.advanceTo(name, start),
    advanceBy: (name: string, ids: bigint) => segments.advanceBy(name, ids),
    retire: (name: string) => segments.retire(name),
    reserveCounter: (key: CounterKey, demand: CounterDemand) => counters.reserve(key, demand),
    readCounter: (key: CounterKey) => counters.read(key),
    close: () => file.close(),
  }
}
