import { describe, expect, it } from 'vitest'
import { Calendar } from '../../src/rules/calendar.ts'
import { localTimeOf, TimeZone } from '../../src/rules/time-zone.ts'

const DAY = 86_400
const utc = (text: string) => Date.parse(`${text}Z`) / 1000

function wallOf(calendar: Calendar, seconds: number): string {
  const { year, month, day, hour, minute, second } = localTimeOf(calendar.localAt(seconds))
  return [year, month, day, hour, minute, second].join(' ')
}

describe('a day', () => {
  it('starts at midnight of the time zone', () => {
    const calendar = new Calendar(new TimeZone('Asia/Shanghai'), DAY)
    expect(calendar.periodAt(utc('2026-11-21T12:00:00'))).toEqual({
      sinceSeconds: utc('2026-11-20T16:00:00'),
      untilSeconds: utc('2026-11-21T16:00:00'),
    })
    expect(wallOf(calendar, utc('2026-11-20T16:00:00'))).toBe('2026 11 21 0 0 0')
    expect(wallOf(calendar, utc('2026-11-20T15:59:59'))).toBe('2026 11 20 23 59 59')
  })

  it.each([
    [
      'has 23 hours when clocks go forward',
      'Europe/Berlin',
      '2026-03-29T12:00:00',
      '2026-03-28T23:00:00',
      23,
    ],
    ['has 25 hours when clocks go back', 'Europe/Berlin', '2026-10-25T12:00:00', '2026-10-24T22:00:00', 25],
    [
      'starts when midnight itself is left out',
      'America/Asuncion',
      '2023-10-01T12:00:00',
      '2023-10-01T04:00:00',
      23,
    ],
    [
      'starts once where midnight comes twice',
      'America/Havana',
      '2026-11-01T12:00:00',
      '2026-11-01T04:00:00',
      25,
    ],
    [
      'is not left where clocks go back to the day before',
      'America/Asuncion',
      '2024-03-24T02:30:00',
      '2024-03-23T03:00:00',
      25,
    ],
    [
      'has a quarter of an hour like the zone',
      'Asia/Kathmandu',
      '2026-05-05T12:00:00',
      '2026-05-04T18:15:00',
      24,
    ],
  ])('%s', (_, zone, noon, start, hours) => {
    const calendar = new Calendar(new TimeZone(zone), DAY)
    expect(calendar.periodAt(utc(noon))).toEqual({
      sinceSeconds: utc(start),
      untilSeconds: utc(start) + hours * 3600,
    })
  })

  it('prints the repeated hour as walls show it, since the day goes on', () => {
    const calendar = new Calendar(new TimeZone('Europe/Berlin'), DAY)
    expect(wallOf(calendar, utc('2026-10-25T00:30:00'))).toBe('2026 10 25 2 30 0')
    expect(wallOf(calendar, utc('2026-10-25T01:30:00'))).toBe('2026 10 25 2 30 0')
  })
})

describe('a minute', () => {
  const calendar = new Calendar(new TimeZone('Europe/Berlin'), 60)

  it('of the hour that is repeated does not begin again: the last one lasts until the hour is over', () => {
    expect(calendar.periodAt(utc('2026-10-25T00:59:30'))).toEqual({
      sinceSeconds: utc('2026-10-25T00:59:00'),
      untilSeconds: utc('2026-10-25T02:00:00'),
    })
    expect(wallOf(calendar, utc('2026-10-25T00:58:59'))).toBe('2026 10 25 2 58 59')
    expect(wallOf(calendar, utc('2026-10-25T01:30:00'))).toBe('2026 10 25 2 59 59')
    expect(wallOf(calendar, utc('2026-10-25T02:00:00'))).toBe('2026 10 25 3 0 0')
  })

  it('that is left out does not delay the next one', () => {
    expect(calendar.periodAt(utc('2026-03-29T00:59:59')).untilSeconds).toBe(utc('2026-03-29T01:00:00'))
    expect(wallOf(calendar, utc('2026-03-29T01:00:00'))).toBe('2026 3 29 3 0 0')
  })
})

describe('a second', () => {
  const calendar = new Calendar(new TimeZone('Europe/Berlin'), 1)

  it('before the hour that is repeated lasts until that is over', () => {
    const lastSecond = { sinceSeconds: utc('2026-10-25T00:59:59'), untilSeconds: utc('2026-10-25T02:00:00') }
    expect(calendar.periodAt(utc('2026-10-25T00:59:59'))).toEqual(lastSecond)
    expect(calendar.periodAt(utc('2026-10-25T01:59:59'))).toEqual(lastSecond)
    expect(wallOf(calendar, utc('2026-10-25T01:30:00'))).toBe('2026 10 25 2 59 59')
  })

  it('is found again after a later one', () => {
    for (const time of ['2026-11-21T10:20:31', '2026-11-21T10:20:30'])
      expect(calendar.periodAt(utc(time))).toEqual({ sinceSeconds: utc(time), untilSeconds: utc(time) + 1 })
  })
})

describe('reset_seconds below 1', () => {
  it.each([0, -5])('(%s) is one endless period', (resetSeconds) => {
    const calendar = new Calendar(new TimeZone('UTC'), resetSeconds)
    expect(calendar.periodAt(0)).toEqual(calendar.periodAt(4e9))
    expect(wallOf(calendar, utc('2026-11-21T10:20:30'))).toBe('2026 11 21 10 20 30')
    const berlin = new Calendar(new TimeZone('Europe/Berlin'), resetSeconds)
    expect(wallOf(berlin, utc('2026-10-25T01:30:00'))).toBe('2026 10 25 2 30 0')
  })
})
