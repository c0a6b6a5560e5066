import { SequenceError, unknownSequence } from './errors.ts'
import { ID_END } from './id.ts'
import { SEGMENT_STEP, STEP_MAX } from './limits.ts'
import { checkName } from './name.ts'
import type { Sequence } from './sequence.ts'
import type { Sequences } from './sequences.ts'
import { GENERATOR_NAME, type LeaseRecord, type SegmentRow, type Store } from './store.ts'

/** Sequences moved by one call of `advanceAllBy` between looks at the list. */
const PAGE = 500

/** What an instance serves from, and must be told of changes in the store. */
export interface Held {
  readonly generator: Sequence
  readonly sequences: Sequences
}

/** What of that a change is told to. */
export interface Told {
  readonly generator: Pick<Sequence, 'renew'>
  readonly sequences: Pick<Sequences, 'renew' | 'drop'>
}

/**
 * What a person may do to the sequences of a store. All reject with BAD_REQUEST where a value is out of range, and with
 * the errors of `SegmentStore`. With an instance at hand it serves the change at once; others, and those that run when a
 * command line makes the change, go on with the ids that they hold.
 */
export class Administration {
  readonly #store: Pick<Store, 'generator' | 'segments' | 'provenance'>
  readonly #held: Told | undefined

  constructor(store: Pick<Store, 'generator' | 'segments' | 'provenance'>, held?: Told) {
    this.#store = store
    this.#held = held
  }

  /** Up to `limit` sequences in the order of their names, after the name `after`. */
  list(after: string, limit: number): Promise<readonly SegmentRow[]> {
    return this.#store.segments.list(after, limit)
  }

  /** Rejects with UNKNOWN_SEQUENCE where the store has no such sequence. */
  async find(name: string): Promise<void> {
    checkName(name)
    if (!(await this.#store.segments.existing([name])).has(name)) throw unknownSequence(name)
  }

  /** Makes a sequence whose first id is `start`, or lies above what an earlier one of this name leased. */
  async create(name: string, start = 1n, step = SEGMENT_STEP): Promise<void> {
    checkName(name)
    checkRange('start', start, 0n, ID_END - 1n)
    checkRange('step', BigInt(step), 1n, BigInt(STEP_MAX))
    await this.#store.segments.create(name, start, step)
    this.#held?.sequences.renew(name)
  }

  /** Has the next lease start at `start` or later, never further back. Resolves with where it starts. */
  async advanceTo(name: string, start: bigint): Promise<bigint> {
    checkName(name)
    checkRange('to', start, 0n, ID_END - 1n)
    const maxId = await this.#store.segments.advanceTo(name, start)
    this.#held?.sequences.renew(name)
    return maxId
  }

  /** Moves a sequence `ids` ids past all that it leased and past a refusal (I3), which that lifts. Resolves with where its next lease starts. */
  async advanceBy(name: string, ids: bigint): Promise<bigint> {
    checkName(name)
    checkRange('by', ids, 1n, ID_END - 1n)
    const maxId = await this.#store.segments.advanceBy(name, ids)
    this.#held?.sequences.renew(name)
    return maxId
  }

  /**
   * `advanceBy` for the generator and every named sequence. Resolves with how many named ones were moved, and with what
   * kept others from it. Asking again moves all on once more, which is harmless.
   */
  async advanceAllBy(ids: bigint): Promise<{ moved: number; failures: readonly SequenceError[] }> {
    checkRange('by', ids, 1n, ID_END - 1n)
    await this.#store.generator.advanceBy(ids)
    this.#held?.generator.renew()
    let moved = 0
    const failures: SequenceError[] = []
    for (let after = ''; ; ) {
      const page = await this.#store.segments.list(after, PAGE)
      for (const { name } of page) {
        after = name
        try {
          await this.advanceBy(name, ids)
          moved++
        } catch (error) {
          if (!(error instanceof SequenceError) || error.code === 'STORE_UNAVAILABLE') throw error
          // Retired meanwhile, or at its end: no reason to leave the others where they are.
          if (error.code !== 'UNKNOWN_SEQUENCE') failures.push(error)
        }
      }
      if (page.length < PAGE) return { moved, failures }
    }
  }

  /** Removes a sequence. Made again, it starts above all that it leased. */
  async retire(name: string): Promise<void> {
    checkName(name)
    await this.#store.segments.retire(name)
    this.#held?.sequences.drop(name)
  }

  /**
   * Whom an id was leased to, of the sequence `name` or, without one, of the generator; undefined where no such lease is
   * on record. Rejects with BAD_REQUEST where leases are not recorded.
   */
  async whois(id: bigint, name?: string): Promise<LeaseRecord | undefined> {
    if (name !== undefined) checkName(name)
    checkRange('id', id, 0n, ID_END - 1n)
    const { provenance } = this.#store
    if (provenance === undefined) throw provenanceOff()
    return provenance.find(name ?? GENERATOR_NAME, id)
  }
}

export function provenanceOff(): SequenceError {
  return new SequenceError('BAD_REQUEST', 'leases are not on record: provenance.days is 0')
}

function checkRange(what: string, value: bigint, min: bigint, max: bigint): void {
  if (value < min || value > max)
    throw new SequenceError('BAD_REQUEST', `${what} must be a whole number from ${min} to ${max}`)
}
