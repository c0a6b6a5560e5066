import { SequenceError } from '../core/errors.ts'
import { Calendar } from './calendar.ts'
import { type LoadedRule, loadRule, type RuleConfig, readScript } from './rule.ts'
import { timeLineOf } from './time-line.ts'
import { localTimeOf, type TimeZone } from './time-zone.ts'

/** What is wrong with a rule, and what may be. Each line names the file. */
export interface RuleFindings {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

export interface RuleCheckOptions {
  readonly zone: TimeZone
  readonly idStep: number
  readonly idOffset: number
  /** Where the sampled times start, in seconds since 1970. */
  readonly nowSeconds: number
}

/** One run of a script with made-up input. */
interface Sample {
  readonly counter: bigint
  readonly seconds: number
  /** The start of the period: with the counter it says which id this is. */
  readonly period: number
  readonly salt: string
}

const HOUR_SECONDS = 3_600
const DAY_SECONDS = 24 * HOUR_SECONDS

/** A salt that ends in digits can meet a counter that is not padded. */
const SALTS = ['', 'a', '1', '11']

/** Runs that are under way at once. */
const CHUNK = 256

/**
 * Periods in a row, hours, days, every fourth week and years ahead: what scripts print repeats within a day, a month, a year or
 * ten years, and each hour of the day and each month of the year is among them.
 */
const PERIODS_AHEAD = 40
const HOURS_AHEAD = 24
const DAYS_AHEAD = 40
const FOUR_WEEKS_AHEAD = 13
const YEARS_AHEAD = 11

/** Runs a rule's script with many counters, times and salts, and says what is wrong, and where it printed an id twice. */
export async function checkRule(config: RuleConfig, options: RuleCheckOptions): Promise<RuleFindings> {
  let rule: LoadedRule
  try {
    rule = await loadRule(config, await readScript(config), options.idOffset)
  } catch (error) {
    return { problems: [messageOf(error)], warnings: [] }
  }
  try {
    return await checkLoaded(rule, options)
  } finally {
    rule.thread.close()
  }
}

async function checkLoaded(rule: LoadedRule, options: RuleCheckOptions): Promise<RuleFindings> {
  const { settings, config } = rule
  const calendar = new Calendar(options.zone, settings.resetSeconds)
  const counters = countersOf(settings.min + BigInt(options.idOffset), settings.max, BigInt(options.idStep))
  const moments = momentsOf(calendar, settings.resetSeconds, options.nowSeconds)
  const samples = SALTS.flatMap((salt) =>
    moments.flatMap(({ seconds, period }) => counters.map((counter) => ({ counter, seconds, period, salt }))),
  )

  const warnings: string[] = []
  const seen = new Map<string, Sample>()
  let hasRepeated = false
  for (let start = 0; start < samples.length; start += CHUNK) {
    const chunk = samples.slice(start, start + CHUNK)
    const results = await Promise.allSettled(
      chunk.map(({ counter, seconds, salt }) =>
        rule.thread.run({ timeLine: timeLineOf(calendar, seconds), counter, step: 1, salt }),
      ),
    )
    for (const [i, result] of results.entries()) {
      const sample = chunk[i] as Sample
      if (result.status === 'rejected')
        return {
          problems: [`${messageOf(result.reason)} (with ${describe(sample, calendar)})`],
          warnings,
        }
      const other = seen.get(result.value)
      if (other === undefined) seen.set(result.value, sample)
      else if (!hasRepeated && (other.counter !== sample.counter || other.period !== sample.period)) {
        hasRepeated = true
        warnings.push(repetition(config.lua_file, result.value, other, sample, calendar))
      }
    }
  }
  const overflow = await findOverflow(rule, counters, calendar, options.nowSeconds)
  if (overflow !== undefined && !hasRepeated) warnings.push(overflow)
  return { problems: [], warnings }
}

/** Numbers around each power of ten, and pairs that differ in one digit only, of those that the counter can give. */
function countersOf(first: bigint, last: bigint, step: bigint): bigint[] {
  const values = new Set<bigint>()
  const add = (value: bigint) => {
    const onGrid = value <= first ? first : first + ((value - first + step - 1n) / step) * step
    if (onGrid <= last) values.add(onGrid)
  }
  add(first)
  for (let power = 1n; power <= last; power *= 10n)
    for (const value of [power - 1n, power, power + 1n, 2n * power, power + 1234n, power + 34n]) add(value)
  add(1234n)
  add(34n)
  values.add(first + ((last - first) / step) * step)
  return [...values].sort((a, b) => Number(a - b))
}

/** Moments in many periods; of the endless one, moments that print differently. */
function momentsOf(
  calendar: Calendar,
  resetSeconds: number,
  nowSeconds: number,
): Pick<Sample, 'seconds' | 'period'>[] {
  const moments = new Map<number, number>()
  const add = (seconds: number) => moments.set(seconds, calendar.periodAt(seconds).sinceSeconds)
  add(nowSeconds)
  let next = nowSeconds
  for (let i = 0; i < PERIODS_AHEAD && resetSeconds >= 1; i++) {
    next = calendar.periodAt(next).untilSeconds
    add(next)
  }
  for (let hour = 1; hour <= HOURS_AHEAD; hour++) add(nowSeconds + hour * HOUR_SECONDS)
  for (let day = 1; day <= DAYS_AHEAD; day++) add(nowSeconds + day * DAY_SECONDS)
  for (let n = 1; n <= FOUR_WEEKS_AHEAD; n++) add(nowSeconds + n * 28 * DAY_SECONDS)
  for (let year = 1; year <= YEARS_AHEAD; year++) add(sameDayLater(nowSeconds, year))
  return [...moments].map(([seconds, period]) => ({ seconds, period }))
}

function sameDayLater(seconds: number, years: number): number {
  const date = new Date(seconds * 1000)
  return Math.floor(date.setUTCFullYear(date.getUTCFullYear() + years) / 1000)
}

function repetition(file: string, id: string, one: Sample, other: Sample, calendar: Calendar): string {
  const why =
    one.counter === other.counter
      ? 'it prints less of the time than it takes for the counter to start again'
      : one.period === other.period && one.salt === other.salt
        ? 'it prints less of the counter than max_counter() allows'
        : 'parts of it that differ in length meet'
  return (
    `${file}: can print the same id twice: ${JSON.stringify(id)} for ${describe(one, calendar)}, ` +
    `and for ${describe(other, calendar)}: ${why}`
  )
}

/** A counter that is padded to a width, and then grows out of it: not a repetition yet, but ids of another length. */
async function findOverflow(
  { thread, config, settings }: LoadedRule,
  counters: readonly bigint[],
  calendar: Calendar,
  nowSeconds: number,
): Promise<string | undefined> {
  const timeLine = timeLineOf(calendar, nowSeconds)
  const lengths = await Promise.allSettled(
    counters.map(async (counter) => (await thread.run({ timeLine, counter, step: 1, salt: '' })).length),
  ).then((results) => results.map((result) => (result.status === 'fulfilled' ? result.value : Number.NaN)))
  const width = lengths[0]
  const beyond = lengths.findIndex((length) => length > (width as number))
  // Without padding it grows from one digit to two, so that only numbers of one digit have the first length.
  if (beyond === -1 || (counters[beyond - 1] as bigint) < 10n) return undefined
  return (
    `${config.lua_file}: the counter is wider than its format: from ${counters[beyond]} on ids are longer than before, ` +
    `and max_counter() is ${settings.max}`
  )
}

function describe({ counter, seconds, salt }: Sample, calendar: Calendar): string {
  const { year, month, day, hour, minute, second } = localTimeOf(calendar.localAt(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  return `counter ${counter} at ${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)} with salt ${JSON.stringify(salt)}`
}

function messageOf(error: unknown): string {
  if (!(error instanceof SequenceError)) throw error
  return error.message
}
