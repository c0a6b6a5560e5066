import { SequenceError } from '../core/errors.ts'
import type { CounterDemand, CounterGrant, CounterKey, CounterRow } from '../core/store.ts'

/** What a reservation comes to: the grant, and the row that must be durable before it is given away (I2). */
export interface CounterMove {
  readonly grant: CounterGrant
  /** Undefined where nothing is to be written. */
  readonly row: CounterRow | undefined
}

/**
 * The reservation that `demand` makes of a counter whose row is `row`: the one decision about it, taken inside the
 * store's transaction.
 *
 * Throws REGRESSED where the row does not know of the numbers that the instance has seen (I3), EXHAUSTED where the
 * period has none left (I6).
 */
export function moveCounter(
  key: CounterKey,
  row: CounterRow | undefined,
  demand: CounterDemand,
): CounterMove {
  const { sinceSeconds, untilSeconds, seconds, first, last, step, seen } = demand
  if (row !== undefined && row.updateSeconds >= untilSeconds)
    return { grant: { laterSeconds: row.updateSeconds }, row: undefined }
  const isSamePeriod = row !== undefined && row.updateSeconds >= sinceSeconds
  if (seen !== undefined && (!isSamePeriod || row.counter < seen)) throw regressed(key, row, seen)

  const start = isSamePeriod ? nextAbove(row.counter, demand) : first
  if (start > last) throw exhausted(key, last)
  const left = (last - start) / step + 1n
  const count = left < BigInt(demand.count) ? left : BigInt(demand.count)
  return {
    grant: { first: start, count: Number(count) },
    row: {
      counter: start + (count - 1n) * step,
      updateSeconds: isSamePeriod ? Math.max(row.updateSeconds, seconds) : seconds,
    },
  }
}

/** The least number of the period above `counter`, which may be off the grid where the step was changed. */
function nextAbove(counter: bigint, { first, step }: CounterDemand): bigint {
  return counter < first ? first : first + ((counter - first) / step + 1n) * step
}

function regressed(key: CounterKey, row: CounterRow | undefined, seen: bigint): SequenceError {
  const found = row === undefined ? 'has no row for it' : `would go on after ${row.counter}`
  return new SequenceError(
    'REGRESSED',
    `the store went backwards: numbers of ${describe(key)} up to ${seen} were reserved, but it ${found}. ` +
      'Was it restored from an old backup? Set its row in the table counter past every number in use to go on before the next period',
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
