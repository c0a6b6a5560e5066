import type { CounterDemand, CounterKey, GeneratorAgreement, LeaseRecord } from '../../core/store.ts'
import { SqliteCounters } from './counters.ts'
import type { Driver } from './driver.ts'
import { DatabaseFile, type FileOptions } from './file.ts'
import { SqliteGenerator } from './generator.ts'
import { inspectDatabase } from './inspection.ts'
import { SqliteProvenance } from './provenance.ts'
import { SqliteSegments } from './segments.ts'

export interface CallsOptions extends FileOptions {
  readonly agreement: GeneratorAgreement
  readonly uuid: string
  readonly provenance: boolean
}

/** All that the main thread may ask of the worker, by name. */
export type Calls = ReturnType<typeof openCalls>

/** Opens the synchronous store, which belongs in a thread of its own. */
export function openCalls(driver: Driver, options: CallsOptions) {
  const file = new DatabaseFile(driver, options)
  const recorder = options.provenance ? options.uuid : undefined
  const generator = new SqliteGenerator(file, options.agreement, options.uuid, options.provenance)
  const segments = new SqliteSegments(file, recorder)
  const counters = new SqliteCounters(file)
  const provenance = new SqliteProvenance(file, generator)
  return {
    prepare: () => generator.prepare(),
    inspect: () => inspectDatabase(driver, options),
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
    findLease: (sequence: string, id: bigint) => provenance.find(sequence, id),
    pageLeases: (after: Pick<LeaseRecord, 'sequence' | 'start'> | undefined, limit: number) =>
      provenance.page(after, limit),
    positions: (sequences: readonly string[]) => provenance.positions(sequences),
    instances: (sinceMs: number) => provenance.instances(sinceMs),
    pruneLeases: (ageMs: number, afterMs: number) => provenance.prune(ageMs, afterMs),
    close: () => file.close(),
  }
}
