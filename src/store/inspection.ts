import { type Finding, type FindingTable, findingsOf } from '../core/finding.ts'
import { FIRST_BIGINT_ID, ID_END } from '../core/id.ts'
import { STEP_MAX } from '../core/limits.ts'
import type { GeneratorAgreement, SegmentRow } from '../core/store.ts'
import { leaseStart, refusalFloor } from './generator.ts'

/** What is looked at in every store. */
export const storeFindings = {
  'store-reachable': {
    severities: ['failed'],
    why: 'leases come from the store: without it an instance serves what it holds, and one that starts serves nothing',
  },
  tables: {
    severities: ['failed'],
    why: 'nothing can be leased without the tables',
  },
  agreement: {
    severities: ['failed'],
    why: 'leases of different steps overlap, so an instance whose step is not the agreed one refuses to start (I7)',
  },
  'generator-floor': {
    severities: ['failed'],
    why: 'the store went backwards once (restored, failed over, counter lost): ids below the floor may be in use, so every instance refuses to lease (I3)',
  },
  'sequence-floors': {
    severities: ['failed'],
    why: 'the store went backwards once: ids of these sequences below their floors may be in use, so every instance refuses to lease them (I3)',
  },
  'sequence-rows': {
    severities: ['failed'],
    why: 'a sequence with such a row gives no ids (STORE_MISCONFIGURED)',
  },
  'counter-refusals': {
    severities: ['warning'],
    why: 'the store went backwards once: numbers of these counters may be in use, so they give none until their period is over (I3)',
  },
  'generator-space': {
    severities: ['failed', 'warning'],
    why: 'past the end there is an error (EXHAUSTED) instead of an id',
  },
  'sequence-space': {
    severities: ['failed', 'warning'],
    why: 'past the end there is an error (EXHAUSTED) instead of an id',
  },
  'large-ids': {
    severities: ['warning'],
    why: 'from 2^53 on a client that reads JSON numbers as doubles, as JavaScript does, rounds ids, and so meets the same one twice',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(storeFindings)

/** Where less than this share of a range is left, or less than this time, somebody should know. */
const SHARE_LEFT_MIN = 10n
const DAYS_LEFT_MIN = 365

const DAY_SECONDS = 86_400

/** How fast ids were leased lately, from what the store has on record. */
export interface Rate {
  readonly ids: bigint
  readonly seconds: number
}

/** What the store has of the generator. */
export interface GeneratorFigures {
  readonly step: bigint | undefined
  readonly first: bigint | undefined
  /** A refusal on record. */
  readonly floor: bigint | undefined
  /** The greatest lease number, 0n when there is none. */
  readonly maxId: bigint
  /** The end of the greatest lease on record, 0n when there is none. */
  readonly leasedEnd: bigint
  /** The greatest lease number that the column holds. */
  readonly idMax: bigint
  readonly rate?: Rate | undefined
}

/** I7 and I3: the agreement, and a refusal on record. */
export function judgeGenerator(figures: GeneratorFigures, agreement: GeneratorAgreement): Finding[] {
  const { step, first, maxId, leasedEnd } = figures
  if (step === undefined || first === undefined)
    return [
      ok(
        'agreement',
        `none yet: the first instance agrees on step ${agreement.step}, first ${agreement.first}`,
      ),
    ]
  if (step !== BigInt(agreement.step) || first !== BigInt(agreement.first))
    return [
      bad(
        'agreement',
        'failed',
        `STEP_MISMATCH: the instances on this store agreed on step ${step}, first ${first}, but this configuration has step ${agreement.step}, first ${agreement.first}`,
        `set step to ${step} and first to ${first}; to change the agreed step, see "Changing the step" in docs/operations.md`,
      ),
    ]
  const floor = refusalFloor({ maxId, floor: figures.floor ?? 0n }, leasedEnd, agreement)
  return [
    ok('agreement', `the store agrees on step ${step}, first ${first}`),
    floor === undefined
      ? ok('generator-floor', 'no refusal is on record, and the table has what was leased')
      : bad(
          'generator-floor',
          'failed',
          `REGRESSED: ids below ${floor} may be in use, but the generator would go on from ${leaseStart(maxId + 1n, agreement)}`,
          'move it past every id in use: `seqsvr sequence advance --all --by N`',
        ),
    ...judgeGeneratorSpace(figures, agreement),
  ]
}

function judgeGeneratorSpace(
  { maxId, idMax, rate }: GeneratorFigures,
  agreement: GeneratorAgreement,
): Finding[] {
  const next = leaseStart(maxId + 1n, agreement)
  const columnEnd = leaseStart(idMax + 1n, agreement)
  const isNarrow = columnEnd < ID_END
  return [
    judgeSpace('generator-space', {
      subject: 'the generator',
      next,
      first: leaseStart(1n, agreement),
      end: isNarrow ? columnEnd : ID_END,
      endName: isNarrow ? `the column generator_table.id ends at ${idMax}` : 'ids end at 2^63',
      advice: isNarrow
        ? 'widen it: ALTER TABLE generator_table MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT'
        : 'plan for another name for new ids: a named sequence starts at 1',
      rate,
    }),
    ...judgeLarge('the generator', next),
  ]
}

/** Of the named sequence with the greatest `max_id`. `maxIdMax` is the greatest value of that column. */
export function judgeGreatestSegment(
  { name, maxId }: Pick<SegmentRow, 'name' | 'maxId'>,
  maxIdMax: bigint,
  rate?: Rate,
): Finding[] {
  const isNarrow = maxIdMax < ID_END
  const subject = `the sequence ${JSON.stringify(name)}`
  return [
    judgeSpace('sequence-space', {
      subject,
      next: maxId,
      first: 1n,
      end: isNarrow ? maxIdMax : ID_END,
      endName: isNarrow ? `the column segments.max_id ends at ${maxIdMax}` : 'ids end at 2^63',
      advice: isNarrow
        ? 'widen it: ALTER TABLE segments MODIFY max_id BIGINT UNSIGNED NOT NULL'
        : 'make a new sequence for new ids: it starts at 1',
      rate,
    }),
    ...judgeLarge(subject, maxId),
  ]
}

interface Space {
  readonly subject: string
  /** The first id not leased yet, the first ever, and the first one past the end. */
  readonly next: bigint
  readonly first: bigint
  readonly end: bigint
  readonly endName: string
  readonly advice: string
  readonly rate: Rate | undefined
}

function judgeSpace(name: 'generator-space' | 'sequence-space', space: Space): Finding {
  const { subject, next, first, end, endName, advice, rate } = space
  const left = end > next ? end - next : 0n
  if (left === 0n) return bad(name, 'failed', `${subject} has no ids left: ${endName}`, advice)
  const days = daysOf(left, rate)
  const what = `${subject} has ${grouped(left)} ids left: ${endName}${atThisRate(days)}${belowLarge(next, end, rate)}`
  const isNear = days === undefined ? left * 100n < (end - first) * SHARE_LEFT_MIN : days < DAYS_LEFT_MIN
  return isNear ? bad(name, 'warning', what, advice) : ok(name, what)
}

function judgeLarge(subject: string, next: bigint): Finding[] {
  if (next < FIRST_BIGINT_ID) return []
  return [
    bad(
      'large-ids',
      'warning',
      `the next id of ${subject} is ${next}, above 2^53`,
      'have clients ask with format=string, or read numbers exactly',
    ),
  ]
}

function belowLarge(next: bigint, end: bigint, rate: Rate | undefined): string {
  if (next >= FIRST_BIGINT_ID || end <= FIRST_BIGINT_ID) return ''
  const left = FIRST_BIGINT_ID - next
  return `; ${grouped(left)} of them below 2^53${atThisRate(daysOf(left, rate))}`
}

function daysOf(ids: bigint, rate: Rate | undefined): number | undefined {
  if (rate === undefined || rate.ids === 0n || rate.seconds <= 0) return undefined
  return (Number(ids) / Number(rate.ids)) * (rate.seconds / DAY_SECONDS)
}

function atThisRate(days: number | undefined): string {
  if (days === undefined) return ''
  const years = days / 365.25
  if (years > 1_000) return ', more than 1,000 years at the present rate'
  return `, ${years >= 2 ? `${Math.floor(years)} years` : `${Math.floor(days)} days`} at the present rate`
}

/** Sequences that have a refusal on record: some of their names, and how many there are. */
export function judgeSegmentFloors(names: readonly string[], count: number): Finding {
  if (count === 0) return ok('sequence-floors', 'no sequence has a refusal on record')
  return bad(
    'sequence-floors',
    'failed',
    `REGRESSED: ${count === 1 ? 'one sequence has' : `${count} sequences have`} a refusal on record: ${listed(names, count)}`,
    'move each past every id in use: `seqsvr sequence advance NAME --by N`, or `seqsvr sequence advance --all --by N`',
  )
}

/** Sequences whose rows hold what no lease can be made of. */
export function judgeSegmentRows(names: readonly string[], count: number): Finding {
  if (count === 0) return ok('sequence-rows', 'the row of every sequence makes sense')
  return bad(
    'sequence-rows',
    'failed',
    `step is not 1 to ${STEP_MAX}, or max_id not 0 to 2^63, in the ${count === 1 ? 'row' : 'rows'} of ${listed(names, count)}`,
    'mend the rows of segments',
  )
}

/** Counters of rules that a refusal is on record for: `rule of app`. */
export function judgeCounters(names: readonly string[], count: number): Finding {
  if (count === 0) return ok('counter-refusals', 'no counter has a refusal on record')
  return bad(
    'counter-refusals',
    'warning',
    `REGRESSED: ${count === 1 ? 'one counter has' : `${count} counters have`} a refusal on record: ${listed(names, count)}`,
    'wait for the next period, or set counter in the row of the table counter past every number in use',
  )
}

function listed(names: readonly string[], count: number): string {
  const shown = names.map((name) => JSON.stringify(name)).join(', ')
  return count > names.length ? `${shown} and ${count - names.length} more` : shown
}

function grouped(value: bigint): string {
  return value.toLocaleString('en')
}
