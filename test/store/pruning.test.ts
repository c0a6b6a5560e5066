import { getLogger } from '@logtape/logtape'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startPruning } from '../../src/commands/pruning.ts'
import { SequenceError } from '../../src/core/errors.ts'
import type { ProvenanceStore } from '../../src/core/store.ts'

const HOUR_MS = 3_600_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('an instance prunes within each hour, to the end, through outages, until its store is closed', async () => {
  const calls: [ageMs: number, afterMs: number][] = []
  const answers: (() => { pruned: number; nextMs?: number })[] = [
    () => ({ pruned: 100, nextMs: 500 }),
    () => ({ pruned: 7 }),
    () => {
      throw new SequenceError('STORE_UNAVAILABLE', 'out')
    },
    () => ({ pruned: 0 }),
    () => {
      throw new SequenceError('SHUTTING_DOWN', 'closed')
    },
  ]
  const provenance = {
    async prune(ageMs: number, afterMs: number) {
      calls.push([ageMs, afterMs])
      return answers[calls.length - 1]?.() ?? { pruned: 0 }
    },
  } as ProvenanceStore
  startPruning(provenance, 30, () => 0.99, getLogger('test'))
  expect(calls).toEqual([])
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(calls).toEqual([
    [2_592_000_000, 0],
    [2_592_000_000, 500],
  ])
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(calls).toHaveLength(3)
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(calls).toHaveLength(4)
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(calls).toHaveLength(5)
  await vi.advanceTimersByTimeAsync(100 * HOUR_MS)
  expect(calls).toHaveLength(5)
})
