import { expect, it } from 'vitest'
import { RuleClock } from '../../src/rules/rule-clock.ts'

const HOUR = 3_600_000

function clockAt(startMs: number) {
  const time = { wallMs: startMs, monotonicMs: 0 }
  const clock = new RuleClock(
    () => time.wallMs,
    () => time.monotonicMs,
  )
  const pass = (ms: number) => {
    time.wallMs += ms
    time.monotonicMs += ms
  }
  return { time, clock, pass }
}

it('follows the wall clock', () => {
  const { clock, pass } = clockAt(1_000_000)
  expect(clock.seconds()).toBe(1000)
  pass(1_500)
  expect(clock.seconds()).toBe(1001)
})

it('follows a wall clock that is set forward', () => {
  const { clock, time } = clockAt(1_000_000)
  time.wallMs += HOUR
  expect(clock.seconds()).toBe(4600)
})

it('I10: never runs back and never stands still when the wall clock is set back an hour, and meets it later', () => {
  const { clock, time, pass } = clockAt(10 * HOUR)
  expect(clock.seconds()).toBe(36_000)
  time.wallMs -= HOUR
  expect(clock.seconds()).toBe(36_000)
  let last = 36_000
  for (let minute = 1; minute <= 119; minute++) {
    pass(60_000)
    expect(clock.seconds()).toBe(last + 30)
    last += 30
  }
  pass(60_000)
  expect(clock.seconds()).toBe(36_000 + 3_600)
  expect(time.wallMs).toBe(11 * HOUR)
  pass(60_000)
  expect(clock.seconds()).toBe(36_000 + 3_660)
})
