import { describe, expect, it } from 'vitest'
import { Calendar } from '../../src/rules/calendar.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'

const DAY = 86_400
const utc = (text: string) => Date.parse(`${text}Z`) / 1000

describe('I10: in every zone and for every length', () => {
  const year = { start: utc('2023-01-01T00:00:00'), end: utc('2024-12-31T00:00:00') }
  it.each([
    ['Europe/Berlin', 3600],
    ['Europe/Berlin', 7200],
    ['America/Asuncion', DAY],
    ['America/Havana', 3600],
    ['Australia/Lord_Howe', 5400],
    ['America/St_Johns', 3600],
    ['Africa/Casablanca', 3600],
    ['Asia/Tehran', DAY],
    ['Pacific/Chatham', 10_800],
    ['UTC', 604_800],
  ])(
    '%s, %s s: periods follow one another without a hole, and what is printed lies inside',
    (zone, resetSeconds) => {
      const timeZone = new TimeZone(zone)
      const calendar = new Calendar(timeZone, resetSeconds)
      let last = calendar.periodAt(year.start)
      let lastNumber = Number.NEGATIVE_INFINITY
      while (last.untilSeconds < year.end) {
        const { sinceSeconds, untilSeconds } = last
        expect(untilSeconds).toBeGreaterThan(sinceSeconds)
        // A calendar that starts anywhere inside sees the same period.
        const middle = Math.floor((sinceSeconds + untilSeconds) / 2)
        for (const seconds of [sinceSeconds, middle, untilSeconds - 1])
          expect(new Calendar(timeZone, resetSeconds).periodAt(seconds)).toEqual(last)
        const numbers = [sinceSeconds, middle, untilSeconds - 1].map((seconds) =>
          Math.floor(calendar.localAt(seconds) / resetSeconds),
        )
        expect(new Set(numbers).size).toBe(1)
        expect(numbers[0]).toBeGreaterThan(lastNumber)
        lastNumber = numbers[0] as number
        last = calendar.periodAt(untilSeconds)
        expect(last.sinceSeconds).toBe(untilSeconds)
      }
    },
  )
})
