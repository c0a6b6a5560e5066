import { SequenceError } from '../core/errors.ts'
import { ID_END } from '../core/id.ts'
import type { Lease } from '../core/lease.ts'
import { STEP_MAX } from '../core/limits.ts'
import type { SegmentRow } from '../core/store.ts'

/** What is on record of a name besides its row, and outlives that. */
export interface Marks {
  /** A recorded refusal: ids below may be in use although the row has forgotten them (I3). 0n when there is none. */
  readonly floor: bigint
  /** The end of the greatest lease on record. 0n when there is none, or none is read. */
  readonly leasedEnd: bigint
}

/** What a transaction must know of a named sequence to lease from it. */
export interface Segment extends SegmentRow, Marks {}

/**
 * The name in `seqsvr_meta` under which a sequence's floor is kept. A retired sequence leaves one behind as well: made
 * again by hand, below it, it is refused; `create` starts above it and takes it off the record.
 */
export function floorKey(name: string): string {
  return `segment.floor/${name}`
}

/**
 * The floor that is to be on record while nothing may be leased (I3), or undefined when all is well: a refusal is
 * on record, or the row stands below what this instance has seen, or below a lease on record.
 */
export function segmentRefusalFloor(
  { maxId, floor, leasedEnd }: Segment,
  seenEnd: bigint,
): bigint | undefined {
  const end = greater(seenEnd, leasedEnd)
  if (floor === 0n && maxId >= end) return undefined
  return greater(floor, end)
}

/** The refusal to lease while `floor` is on record. */
export function segmentRegressed({ name, maxId }: Segment, floor: bigint): SequenceError {
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: ids of ${quote(name)} below ${floor} may be in use, but it would go on from ${maxId}. ` +
      'Move it past every id in use, with `seqsvr sequence advance`, to go on',
    { floor },
  )
}

/**
 * The next lease of a segment, of at least `ids` ids as far as there are any: whole steps from its `max_id`, without
 * id 0. Its end is the new `max_id`.
 *
 * Throws EXHAUSTED at the end of the id space (I6), STORE_MISCONFIGURED when the row is absurd.
 */
export function leaseOf(segment: Segment, ids: number): Lease {
  checkSegment(segment)
  const { name, maxId, step } = segment
  if (maxId >= ID_END) throw new SequenceError('EXHAUSTED', `${quote(name)} has no ids left below 2^63`)
  const start = maxId === 0n ? 1n : maxId
  const steps = (start - maxId + BigInt(ids) + step - 1n) / step
  const end = maxId + steps * step
  return { start, end: end < ID_END ? end : ID_END }
}

/** Where a sequence that is made with `start` begins: above all that one of its name leased before. */
export function startAbove({ floor, leasedEnd }: Marks, start: bigint): bigint {
  return greater(start, greater(floor, leasedEnd))
}

/** Where a sequence stands after an operator moved it on by `ids`: past what it leased, and past its floor. */
export function advancedBy({ maxId, ...marks }: Segment, ids: bigint): bigint {
  const position = startAbove(marks, maxId) + ids
  return position < ID_END ? position : ID_END
}

export function sequenceExists(name: string): SequenceError {
  return new SequenceError('SEQUENCE_EXISTS', `there is a sequence ${quote(name)} already`)
}

function checkSegment({ name, maxId, step }: Segment): void {
  const absurd = (column: string, value: bigint, allowed: string) =>
    new SequenceError(
      'STORE_MISCONFIGURED',
      `the row of ${quote(name)} in segments has ${column} ${value}: it must be ${allowed}; mend the row`,
    )
  if (step < 1n || step > BigInt(STEP_MAX)) throw absurd('step', step, `1 to ${STEP_MAX}`)
  if (maxId < 0n || maxId > ID_END) throw absurd('max_id', maxId, '0 to 2^63')
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function quote(name: string): string {
  return JSON.stringify(name)
}
