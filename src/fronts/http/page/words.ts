import { FIRST_BIGINT_ID, ID_END } from '../../../core/id.ts'
import type { SequenceStatus } from '../../../status/status.ts'

/** Over how many seconds the present rate is a mean: long enough to read, short enough to be present. */
const RATE_NOW_SECONDS = 5

const ALREADY_INEXACT = 'past 2⁵³, so take them as strings in JavaScript'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `1,234,567`, also of decimal text beyond 2^53. */
export function grouped(value: number | bigint | string): string {
  return whole.format(typeof value === 'string' ? BigInt(value) : value)
}

/** `1 id`, `2,000 ids`: a number with the word for one or for many. */
export function numbered(value: number | bigint, one: string, many: string): string {
  return `${grouped(value)} ${Number(value) === 1 ? one : many}`
}

/** `3.4` below ten, else whole. */
export function rounded(value: number): string {
  return (value < 10 ? short : whole).format(value)
}

/** Ids a second, lately. */
export function rateNow(idsPerSecond: readonly number[]): number {
  const lately = idsPerSecond.slice(-RATE_NOW_SECONDS)
  return lately.length === 0 ? 0 : lately.reduce((sum, ids) => sum + ids, 0) / lately.length
}

const UNITS = [
  [1e9 * 31_556_952, 'billion years'],
  [1e6 * 31_556_952, 'million years'],
  [1e3 * 31_556_952, 'thousand years'],
  [31_556_952, 'year'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const

/** A time in human words: `292 million years`, `1.5 hours`. */
export function inWords(seconds: number): string {
  const [unit, name] = UNITS.find(([unit]) => seconds >= unit) ?? [1, 'second']
  const number = rounded(seconds / unit)
  return `${number} ${name}${number === '1' || name.endsWith('years') ? '' : 's'}`
}

/** How long something has lasted: `3 d 4 h`, `12 min 5 s`. */
export function lasted(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1_000))
  if (s < 60) return `${s} s`
  const min = Math.floor(s / 60)
  if (min < 60) return `${min} min ${s % 60} s`
  const h = Math.floor(min / 60)
  if (h < 24) return `${h} h ${min % 60} min`
  return `${grouped(Math.floor(h / 24))} d ${h % 24} h`
}

/** When something was: `12 s ago`, `4 h ago`. */
export function ago(atMs: number, nowMs: number): string {
  const [largest] = lasted(nowMs - atMs).match(/^\S+ \S+/) as RegExpMatchArray
  return `${largest} ago`
}

/** A message as a sentence: `The number must be in digits.` */
export function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}

/**
 * How far the ids reach at the present rate, and when they pass what JavaScript's numbers hold, in a sentence. In an
 * outage of the store that is how long those in memory last.
 */
export function runway({ leasedTo, idsPerSecond, left }: SequenceStatus, outage: boolean): string {
  const from = BigInt(leasedTo ?? 0)
  const isInexact = from >= FIRST_BIGINT_ID
  const rate = rateNow(idsPerSecond)
  if (outage) {
    if (left === 0) return 'No ids in memory: its requests wait for the store, or fail.'
    if (rate === 0) return `At rest, with ${numbered(left, 'id', 'ids')} in memory.`
    return `At this rate the ids in memory last ${inWords(left / rate)}.`
  }
  if (rate === 0) {
    const exact = isInexact ? ALREADY_INEXACT : `${grouped(FIRST_BIGINT_ID - from)} of them below 2⁵³`
    return `At rest, with ${numbered(ID_END - from, 'id', 'ids')} to go; ${exact}.`
  }
  const after = (end: bigint) => inWords(Number(end - from) / rate)
  const exact = isInexact ? ALREADY_INEXACT : `passes 2⁵³ in ${after(FIRST_BIGINT_ID)}`
  return `At this rate the id space lasts ${after(ID_END)}; ${exact}.`
}
