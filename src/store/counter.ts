import { SequenceError } from '../core/errors.ts'
import type { CounterDemand, CounterGrant, CounterKey, CounterRow } from '../core/store.ts'

/** What a reservation comes to: the grant or the refusal, and the row that must be durable before it is given away (I2, I3). */
export interface CounterMove {
  readonly outcome: CounterGrant | SequenceError
  /** Undefined where nothing is to be written. */
  readonly row: CounterRow | undefined
}

/**
 * The reservation that `demand` makes of a counter whose row is `row`: the one decision about it, taken inside the
 * store's transaction.
 *
 * REGRESSED where the row does not know of the numbers that the instance has seen (I3). To go on above these would repeat
 * what other instances had reserved past them, so the row itself becomes the record of the refusal, in the same transaction:
 * it stops every instance, also after a restart that has forgotten what was seen, until its period is over or a person sets
 * it. Throws EXHAUSTED where the period has none left (I6).
 */
export function moveCounter(
  key: CounterKey,
  row: CounterRow | undefined,
  demand: CounterDemand,
): CounterMove {
  const { sinceSeconds, untilSeconds, seconds, first, last, step, seen } = demand
  if (row !== undefined && row.updateSeconds >= untilSeconds)
    return { outcome: { laterSeconds: row.updateSeconds }, row: undefined }
  const isSamePeriod = row !== undefined && row.updateSeconds >= sinceSeconds
  const updateSeconds = isSamePeriod ? Math.max(row.updateSeconds, seconds) : seconds
  const isRecorded = isSamePeriod && row.isRefused
  if (isRecorded || (seen !== undefined && (!isSamePeriod || row.counter < seen))) {
    const isKnown = isRecorded && (seen === undefined || row.counter >= seen)
    const counter = isKnown ? row.counter : (seen as bigint)
    return {
      outcome: regressed(key, counter),
      row: isKnown ? undefined : { counter, updateSeconds, isRefused: true },
    }
  }

  const start = isSamePeriod ? nextAbove(row.counter, demand) : first
  if (start > last) throw exhausted(key, last)
  const left = (last - start) / step + 1n
  const count = left < BigInt(demand.count) ? left : BigInt(demand.count)
  return {
    outcome: { first: start, count: Number(count) },
    row: { counter: start + (count - 1n) * step, updateSeconds, isRefused: false },
  }
}

/**
 * A row's columns `counter` and `update_time`. A refusal is kept as `-1 - counter`: older tables have no column to spare, no
 * counter is below 0, and whoever sets the column to a number in use lifts it.
 */
export function columnsOfRow({ counter, updateSeconds, isRefused }: CounterRow): [bigint, number] {
  return [isRefused ? -1n - counter : counter, updateSeconds]
}

export function rowOfColumns(counter: bigint, updateSeconds: number): CounterRow {
  const isRefused = counter < 0n
  return { counter: isRefused ? -1n - counter : counter, updateSeconds, isRefused }
}

/** The least number of the period above `counter`, which may be off the grid where the step was changed. */
function nextAbove(counter: bigint, { first, step }: CounterDemand): bigint {
  return counter < first ? first : first + ((counter - first) / step + 1n) * step
}

function regressed(key: CounterKey, seen: bigint): SequenceError {
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: numbers of ${describe(key)} up to ${seen} at least were reserved, and it had forgotten them. ` +
      'Was it restored from an old backup? To go on before the next period, set counter in its row of the table counter past every number in use',
  )
}

function exhausted(key: CounterKey, last: bigint): SequenceError {
  return new SequenceError(
    'EXHAUSTED',
    `${describe(key)} has no numbers left in this period: max_counter() is ${last}`,
  )
}

function describe({ ruleName, appName }: CounterKey): string {
  return `the counter of rule ${JSON.stringify(ruleName)} for ${JSON.stringify(appName)}`
}
