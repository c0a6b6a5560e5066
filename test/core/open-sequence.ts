import { type ErrorCode, SequenceError } from '../../src/core/errors.ts'
import { Sequence, type SequenceEvent, type SequenceLimits } from '../../src/core/sequence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ScriptedSource } from './scripted-source.ts'

export const LIMITS: SequenceLimits = {
  leaseTargetMs: 2000,
  leaseIdsMax: 1_000_000,
  waitMsMax: 1000,
  waitersMax: 3,
}

export function open(limits: Partial<SequenceLimits> = {}) {
  const clock = new VirtualClock()
  const source = new ScriptedSource()
  const events: SequenceEvent[] = []
  const sequence = new Sequence({
    source,
    clock,
    random: () => 1,
    limits: { ...LIMITS, ...limits },
    observe: (event) => events.push(event),
  })
  return { clock, source, sequence, events }
}

/** Opens a sequence that holds the given lease already. */
export async function openWith(
  start: number | bigint,
  end: number | bigint,
  limits?: Partial<SequenceLimits>,
) {
  const opened = open(limits)
  opened.sequence.warm()
  opened.source.last.grant([start, end])
  await opened.clock.settle()
  return opened
}

/** What became of a promise so far: its value, its error's code, or 'waiting'. */
export function track<T>(taken: T | Promise<T>): { outcome: T | ErrorCode | 'waiting' } {
  const tracked: { outcome: T | ErrorCode | 'waiting' } = { outcome: 'waiting' }
  Promise.resolve(taken).then(
    (value) => {
      tracked.outcome = value
    },
    (error: SequenceError) => {
      tracked.outcome = error.code
    },
  )
  return tracked
}

export const unavailable = () => new SequenceError('STORE_UNAVAILABLE', 'the store is down')
