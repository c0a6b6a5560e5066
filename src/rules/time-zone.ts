/** Within a minute of UTC the offset of a zone does not change. */
const SLOT_SECONDS = 60

/** Offsets kept: those around now and around the last change. */
const SLOTS_MAX = 256

const HOUR_SECONDS = 3_600

/** A time on a wall, to be printed. */
export interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** A moment at which the offset of a zone changed. */
export interface OffsetChange {
  /** The first second, since 1970, with the new offset. */
  readonly atSeconds: number
  readonly before: number
  readonly after: number
}

/** The zone of the process, as TZ or the system says. */
export function systemTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** Offsets from UTC of an IANA time zone. All times are whole seconds since 1970. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat
  readonly #slots = new Map<number, number>()

  /** Throws a RangeError for a name that is not a time zone. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** Seconds to add to UTC. */
  offsetAt(seconds: number): number {
    const slot = Math.floor(seconds / SLOT_SECONDS)
    const known = this.#slots.get(slot)
    if (known !== undefined) return known
    const offset = this.#computeOffset(slot * SLOT_SECONDS)
    if (this.#slots.size >= SLOTS_MAX) this.#slots.clear()
    this.#slots.set(slot, offset)
    return offset
  }

  /** The last change of the offset after `from` and not after `to`, a day or two apart. */
  changeBetween(from: number, to: number): OffsetChange | undefined {
    const after = this.offsetAt(to)
    // Hour by hour, so that a change is found although another one takes it back within the day; on the hour, so that the
    // offsets are those that the last call needed.
    let start = to
    let end = to
    while (start > from && this.offsetAt(start) === after) {
      end = start
      start = Math.max(from, (Math.ceil(start / HOUR_SECONDS) - 1) * HOUR_SECONDS)
    }
    const before = this.offsetAt(start)
    if (before === after) return undefined
    while (end - start > 1) {
      const middle = Math.floor((start + end) / 2)
      if (this.offsetAt(middle) === after) end = middle
      else start = middle
    }
    return { atSeconds: end, before: this.offsetAt(start), after }
  }

  #computeOffset(seconds: number): number {
    const parts: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(seconds * 1000)) parts[type] = Number(value)
    const { year, month, day, hour, minute, second } = parts as unknown as LocalTime
    return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - seconds
  }
}

/** What a wall shows at `localSeconds`, which count from 1970 on that wall. */
export function localTimeOf(localSeconds: number): LocalTime {
  const date = new Date(localSeconds * 1000)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}
