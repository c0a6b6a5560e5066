import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from '../../src/fronts/redis/turns.ts'

it('does one thing in each turn of the event loop, in order, and what is added meanwhile behind the rest', async () => {
  const turns = new Turns()
  const done: string[] = []
  turns.wait(() => {
    done.push('a')
    turns.wait(() => done.push('a again'))
  })
  turns.wait(() => done.push('b'))
  turns.wait(() => done.push('c'))
  const afterEach: string[][] = []
  for (let i = 0; i < 5; i++) {
    await turn()
    afterEach.push([...done])
  }
  expect(afterEach).toEqual([
    ['a'],
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'a again'],
    ['a', 'b', 'c', 'a again'],
  ])
  turns.wait(() => done.push('later'))
  await turn()
  expect(done.at(-1)).toBe('later')
})
