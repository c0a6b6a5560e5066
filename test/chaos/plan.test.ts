import { expect, it } from 'vitest'
import { readPlan } from '../../chaos/plan.ts'

it.each([
  [['--minutes', '0.5', '--seed', '7'], { mode: 'mixed', minutes: 0.5 }],
  [['--kills', 'instances=200,mariadbd=50', '--seed', '7'], { mode: 'kills', instances: 200, mariadbd: 50 }],
  [['--kills', 'mariadbd=3', '--seed', '7'], { mode: 'kills', instances: 0, mariadbd: 3 }],
  [['--cuts', '10000', '--seed', '7'], { mode: 'cuts', cuts: 10_000 }],
])('reads %j', (args, plan) => {
  expect(readPlan(args)).toEqual({ plan, seed: 7 })
})

it.each([
  [['--minutes', 'x'], '--minutes takes a number from 0, not x'],
  [['--kills', 'nginx=3'], '--kills takes instances=N,mariadbd=N, not nginx=3'],
  [['--cuts', '1'], '--cuts takes a whole number from 2, not 1'],
  [['--cuts', '2', '--minutes', '1'], 'give one of --minutes, --kills and --cuts'],
])('refuses %j', (args, message) => {
  expect(() => readPlan(args)).toThrow(message)
})
