import { SequenceError } from '../core/errors.ts'
import { clipToIdSpace, type Lease } from '../core/lease.ts'
import type { GeneratorAgreement } from '../core/store.ts'

/** How many leases hold `ids` ids, within the `max` that one transaction of the store may grant. */
export function leaseCount(ids: number, step: number, max: number): number {
  return Math.min(max, Math.max(1, Math.ceil(ids / step)))
}

/** The first id of lease `n`. */
export function leaseStart(n: bigint, { step, first }: GeneratorAgreement): bigint {
  return n * BigInt(step) + BigInt(first)
}

/**
 * The leases of the auto-increment ids `ns`, which the store gave in this order to a table whose greatest id was
 * `maxId` in the same transaction (0 when it was empty).
 *
 * Throws REGRESSED when one does not lie above all before it (I3), EXHAUSTED when no id is left (I6).
 */
export function leasesOf(ns: readonly bigint[], maxId: bigint, agreement: GeneratorAgreement): Lease[] {
  const leases: Lease[] = []
  let last = maxId
  for (const n of ns) {
    if (n <= last) throw counterLost(n, last, agreement)
    last = n
    const lease = clipToIdSpace({ start: leaseStart(n, agreement), end: leaseStart(n + 1n, agreement) })
    if (lease !== undefined) leases.push(lease)
  }
  if (leases.length === 0) throw new SequenceError('EXHAUSTED', 'the generator has no ids left below 2^63')
  return leases
}

/** The store gave lease `n` although that one, or lease `last` above it, exists (I3). */
export function counterLost(n: bigint, last: bigint, agreement: GeneratorAgreement): SequenceError {
  const greatest = n > last ? n : last
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: it gave lease ${n} although lease ${greatest} exists, so its auto-increment counter is lost. ` +
      'Move the generator past every id in use, with `seqsvr sequence advance --all --by N`, to go on',
    { floor: leaseStart(greatest + 1n, agreement) },
  )
}

/** Throws STEP_MISMATCH unless the store's agreement is this instance's (I7). */
export function checkAgreement(stored: { step: bigint; first: bigint }, agreement: GeneratorAgreement): void {
  for (const name of ['step', 'first'] as const) {
    if (stored[name] === BigInt(agreement[name])) continue
    throw new SequenceError(
      'STEP_MISMATCH',
      `the instances on this store agreed on ${name} ${stored[name]}, but this one is configured with ${name} ${agreement[name]}. ` +
        `Set ${name} to ${stored[name]}`,
    )
  }
}

/** What a transaction finds before it grants anything. */
export interface GeneratorState {
  /** The greatest lease number in the table, 0n when it is empty. */
  readonly maxId: bigint
  /** A recorded refusal: ids below may be in use. 0n when there is none. */
  readonly floor: bigint
}

/**
 * The floor that is to be on record while nothing may be leased (I3), or undefined when all is well: a refusal is
 * on record, or the table no longer has what this instance has seen.
 */
export function refusalFloor(
  { maxId, floor }: GeneratorState,
  seenEnd: bigint,
  agreement: GeneratorAgreement,
): bigint | undefined {
  if (floor === 0n && leaseStart(maxId + 1n, agreement) >= seenEnd) return undefined
  return floor > seenEnd ? floor : seenEnd
}

/** The refusal to lease while `floor` is on record. */
export function regressed(maxId: bigint, floor: bigint, agreement: GeneratorAgreement): SequenceError {
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: ids below ${floor} may be in use, but it would go on from ${leaseStart(maxId + 1n, agreement)}. ` +
      'Move the generator past every id in use, with `seqsvr sequence advance --all --by N`, to go on',
    { floor },
  )
}

/**
 * The lease number that an operator's advance leaves as the greatest: at least `ids` ids past all leases up to
 * `lastId`, and past `floor`.
 */
export function advancedTo(
  lastId: bigint,
  floor: bigint,
  ids: bigint,
  { step, first }: GeneratorAgreement,
): bigint {
  const up = (value: bigint) => (value + BigInt(step) - 1n) / BigInt(step)
  const past = floor > 0n ? up(floor - BigInt(first)) : 0n
  return (past > lastId ? past : lastId) + up(ids)
}
