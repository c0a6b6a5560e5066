import { SequenceError } from '../../core/errors.ts'
import type { Id } from '../../core/id.ts'
import { SEGMENT_STEP } from '../../core/limits.ts'
import { checkName } from '../../core/name.ts'
import type { Sequence } from '../../core/sequence.ts'
import type { Sequences } from '../../core/sequences.ts'
import type { SegmentStore } from '../../core/store.ts'
import type { Tally } from '../tally.ts'
import { CREATE_TRIES_MAX } from './limits.ts'

type Take<T> = (sequence: Sequence) => T | Promise<T>

const takeOne: Take<Id> = (sequence) => sequence.take()

/** Named sequences as the commands use them: found, made, moved and removed by name. */
export class NamedIds {
  readonly #sequences: Sequences
  readonly #segments: SegmentStore
  readonly #tally: Tally

  constructor(sequences: Sequences, segments: SegmentStore, tally: Tally) {
    this.#sequences = sequences
    this.#segments = segments
    this.#tally = tally
  }

  /** The sequence of this name if it is in memory. Hot path. */
  held(name: string): Sequence | undefined {
    return this.#sequences.held(name)
  }

  /** Sequences in memory. */
  get size(): number {
    return this.#sequences.size
  }

  /** The next id, at once while the sequence holds any. Rejects as `Sequences.find` and `Sequence.take` do. */
  take(name: string): Id | Promise<Id> {
    const held = this.#sequences.held(name)
    return held !== undefined && held.left > 0 ? this.#takeHeld(held) : this.#find(name, takeOne)
  }

  /** The next id of a sequence that is made, with 1 as its first id, where there is none. */
  takeOrCreate(name: string): Id | Promise<Id> {
    const held = this.#sequences.held(name)
    return held !== undefined && held.left > 0 ? this.#takeHeld(held) : this.#findOrCreate(name, takeOne)
  }

  /** The first of `count` consecutive ids of a sequence that is made where there is none. */
  takeRowOrCreate(name: string, count: number): Promise<Id> {
    return this.#findOrCreate(name, (sequence) => sequence.takeRow(count), count)
  }

  /** Whether there is such a sequence. */
  async exists(name: string): Promise<boolean> {
    try {
      await this.#sequences.find(name)
      return true
    } catch (error) {
      if (isUnknown(error)) return false
      throw error
    }
  }

  /**
   * Makes a sequence whose first id is `start`, or moves the one that there is so that this instance serves nothing
   * below `start` from now on. One that is past it stays where it is. Repeating it is harmless.
   */
  async startAt(name: string, start: bigint): Promise<void> {
    checkName(name)
    try {
      await this.#segments.create(name, start, SEGMENT_STEP)
      this.#sequences.renew(name)
      return
    } catch (error) {
      if (!(error instanceof SequenceError) || error.code !== 'SEQUENCE_EXISTS') throw error
    }
    await this.#segments.advanceTo(name, start)
    // Also where it is not held here: other workers may hold it.
    const next = this.#sequences.held(name)?.next
    if (next === undefined || next < start) this.#sequences.renew(name)
  }

  /** Removes a sequence. False where there is none. */
  async retire(name: string): Promise<boolean> {
    checkName(name)
    try {
      await this.#segments.retire(name)
      this.#sequences.drop(name)
      return true
    } catch (error) {
      if (!isUnknown(error)) throw error
      this.#sequences.drop(name)
      return false
    }
  }

  #takeHeld(held: Sequence): Id | Promise<Id> {
    this.#tally.issued++
    return held.take()
  }

  async #find<T>(name: string, take: Take<T>, count = 1): Promise<T> {
    const taken = await take(await this.#sequences.find(name))
    this.#tally.issued += count
    return taken
  }

  async #findOrCreate<T>(name: string, take: Take<T>, count = 1): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#find(name, take, count)
      } catch (error) {
        if (!isUnknown(error)) throw error
      }
      await this.#create(name, tries === CREATE_TRIES_MAX)
    }
  }

  /** At the last try it tells why there is a sequence that cannot be found: a collation takes another for it. */
  async #create(name: string, isLastTry: boolean): Promise<void> {
    try {
      await this.#segments.create(name, 1n, SEGMENT_STEP)
    } catch (error) {
      // Another request, or another instance, was quicker: just what is wanted.
      if (isLastTry || !(error instanceof SequenceError) || error.code !== 'SEQUENCE_EXISTS') throw error
    }
    // Where it is held, a quicker request has noted that it is there, and may have ids of it that stay good.
    if (this.#sequences.held(name) === undefined) this.#sequences.renew(name)
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof SequenceError && error.code === 'UNKNOWN_SEQUENCE'
}
