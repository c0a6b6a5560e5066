import type { Lease } from '../../src/core/lease.ts'
import type { CounterRow, GeneratorAgreement } from '../../src/core/store.ts'

/** What stands in the tables of a store, as far as a lease can tell. */
export interface Tables {
  /** `generator_table`: the ids of its rows. */
  readonly generator: Set<bigint>
  /** Of `seqsvr_meta`: the agreement (I7), and floors (I3) by the name of a sequence. */
  agreement: GeneratorAgreement | undefined
  readonly floors: Map<string, bigint>
  readonly segments: Map<string, { readonly maxId: bigint; readonly step: bigint }>
  readonly counters: Map<string, CounterRow>
  /** `seqsvr_leases`: by the name of a sequence, in the order of their starts. */
  readonly leases: Map<string, readonly Lease[]>
  /** The next auto-increment id of `generator_table`: not part of any transaction. */
  nextId: bigint
}

/** What can be restored without the others. */
export type TableName = 'generator' | 'meta' | 'segments' | 'counters' | 'leases'

export const TABLE_NAMES: readonly TableName[] = ['generator', 'meta', 'segments', 'counters', 'leases']

export function emptyTables(): Tables {
  return {
    generator: new Set(),
    agreement: undefined,
    floors: new Map(),
    segments: new Map(),
    counters: new Map(),
    leases: new Map(),
    nextId: 1n,
  }
}

/** `tables` with these ones as they are in `saved`. */
export function restored(tables: Tables, saved: Tables, names: readonly TableName[]): Tables {
  const from = (name: TableName) => (names.includes(name) ? saved : tables)
  return {
    generator: new Set(from('generator').generator),
    nextId: from('generator').nextId,
    agreement: from('meta').agreement,
    floors: new Map(from('meta').floors),
    segments: new Map(from('segments').segments),
    counters: new Map(from('counters').counters),
    leases: new Map(from('leases').leases),
  }
}

/** The greatest id in `generator_table`, 0n when it is empty. */
export function greatestId({ generator }: Tables): bigint {
  let greatest = 0n
  for (const id of generator) if (id > greatest) greatest = id
  return greatest
}

/** The end of the lease on record that starts last, 0n where there is none. */
export function leasedEndOf({ leases }: Tables, sequence: string): bigint {
  return leases.get(sequence)?.at(-1)?.end ?? 0n
}
