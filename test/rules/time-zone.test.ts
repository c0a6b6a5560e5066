import { describe, expect, it } from 'vitest'
import { localTimeOf, systemTimeZone, TimeZone } from '../../src/rules/time-zone.ts'

const HOUR = 3_600
const utc = (text: string) => Date.parse(`${text}Z`) / 1000

describe('the offset of a time zone', () => {
  it.each([
    ['UTC', '2026-11-21T10:20:30', 0],
    ['Asia/Shanghai', '2026-11-21T10:20:30', 8 * HOUR],
    ['Asia/Kathmandu', '2026-11-21T10:20:30', 5.75 * HOUR],
    ['America/St_Johns', '2026-01-01T00:00:00', -3.5 * HOUR],
    ['Europe/Berlin', '2026-03-29T00:59:59', HOUR],
    ['Europe/Berlin', '2026-03-29T01:00:00', 2 * HOUR],
    ['Europe/Berlin', '2026-10-25T00:59:59', 2 * HOUR],
    ['Europe/Berlin', '2026-10-25T01:00:00', HOUR],
    ['Pacific/Kiritimati', '2026-12-31T12:00:00', 14 * HOUR],
    ['UTC', '1969-12-31T23:59:59', 0],
    // A midnight must not become hour 24 of the day before.
    ['Europe/Berlin', '2026-11-20T23:00:00', HOUR],
  ])('%s at %s', (zone, time, offset) => {
    expect(new TimeZone(zone).offsetAt(utc(time))).toBe(offset)
  })

  it('is the same when it is asked for again, and after many others', () => {
    const zone = new TimeZone('Europe/Berlin')
    const before = utc('2026-03-29T00:59:00')
    for (let minute = -1_000; minute < 1_000; minute++)
      expect(zone.offsetAt(before + 60 * minute)).toBe(minute <= 0 ? HOUR : 2 * HOUR)
    expect(zone.offsetAt(before)).toBe(HOUR)
  })

  it('I9: is kept in memory for a few minutes only, however many are asked for', () => {
    const zone = new TimeZone('Europe/Berlin')
    let formatted = 0
    const { formatToParts } = Intl.DateTimeFormat.prototype
    Intl.DateTimeFormat.prototype.formatToParts = function (date) {
      formatted++
      return formatToParts.call(this, date)
    }
    try {
      const askAll = (minutes: number) => {
        const before = formatted
        for (let minute = 0; minute < minutes; minute++) zone.offsetAt(60 * minute + (minute % 60))
        return formatted - before
      }
      expect([askAll(256), askAll(256)]).toEqual([256, 0])
      expect([askAll(257), askAll(1)]).toEqual([1, 1])
    } finally {
      Intl.DateTimeFormat.prototype.formatToParts = formatToParts
    }
  })

  it('is unknown for a name that is no time zone', () => {
    expect(() => new TimeZone('Europe/Nowhere')).toThrow(RangeError)
  })
})

describe('the last change of the offset', () => {
  const zone = new TimeZone('Europe/Berlin')
  const spring = { atSeconds: utc('2026-03-29T01:00:00'), before: HOUR, after: 2 * HOUR }

  it.each([
    ['after it', '2026-03-28T12:00:00', '2026-03-29T12:00:00', spring],
    ['in its second', '2026-03-28T12:00:00', '2026-03-29T01:00:00', spring],
    ['a second before it', '2026-03-28T12:00:00', '2026-03-29T00:59:59', undefined],
    ['from a second before it', '2026-03-29T00:59:59', '2026-03-29T12:00:00', spring],
    ['from its second on', '2026-03-29T01:00:00', '2026-03-29T12:00:00', undefined],
    ['in a single second', '2026-03-29T00:59:59', '2026-03-29T01:00:00', spring],
    ['in no time', '2026-03-29T01:00:00', '2026-03-29T01:00:00', undefined],
    ['off the hour', '2026-03-28T12:34:56', '2026-03-29T12:34:56', spring],
  ])('is found: %s', (_, from, to, change) => {
    expect(zone.changeBetween(utc(from), utc(to))).toEqual(change)
  })

  it('is found where another one took it back within the day', () => {
    class TwoHours extends TimeZone {
      override offsetAt(seconds: number): number {
        return seconds >= 100_000 && seconds < 107_200 ? HOUR : 0
      }
    }
    const brief = new TwoHours('UTC')
    expect(brief.changeBetween(60_000, 140_000)).toEqual({ atSeconds: 107_200, before: HOUR, after: 0 })
    expect(brief.changeBetween(60_000, 107_199)).toEqual({ atSeconds: 100_000, before: 0, after: HOUR })
  })
})

it('shows what a wall does', () => {
  expect(localTimeOf(utc('2026-01-02T03:04:05'))).toEqual({
    year: 2026,
    month: 1,
    day: 2,
    hour: 3,
    minute: 4,
    second: 5,
  })
})

it('knows the zone of the system', () => {
  expect(new TimeZone(systemTimeZone()).offsetAt(0)).toBe(0 - 60 * new Date(0).getTimezoneOffset())
  expect(systemTimeZone()).toMatch(/^\w/)
})
