import { expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { Waiters } from '../../src/core/waiters.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

it('I9: counts who waits, and for how many ids, whatever becomes of them', async () => {
  const clock = new VirtualClock()
  const waiters = new Waiters(clock, 1_000, () => new SequenceError('WAIT_TIMEOUT', 'late'))
  let held = 0
  const outcomes: unknown[] = []
  const wait = (count: number) =>
    waiters
      .wait(
        count,
        () => held >= count,
        () => count,
      )
      .then(
        (taken) => outcomes.push(taken),
        (error: SequenceError) => outcomes.push(error.code),
      )
  const told = () => [waiters.size, waiters.ids, clock.timers]
  for (const count of [5, 2, 30]) wait(count)
  expect(told()).toEqual([3, 37, 1])
  held = 4
  waiters.serve()
  await clock.advance(500)
  expect([outcomes, told()]).toEqual([[2], [2, 35, 1]])
  wait(7)
  await clock.advance(500)
  expect([outcomes, told()]).toEqual([
    [2, 'WAIT_TIMEOUT', 'WAIT_TIMEOUT'],
    [1, 7, 1],
  ])
  waiters.fail(new SequenceError('EXHAUSTED', 'none left'))
  await clock.settle()
  expect([outcomes.at(-1), told()]).toEqual(['EXHAUSTED', [0, 0, 0]])
})
