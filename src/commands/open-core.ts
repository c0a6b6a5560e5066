import type { Logger } from '@logtape/logtape'
import type { Config } from '../config/schema.ts'
import type { Held } from '../core/administration.ts'
import type { LeaseSource } from '../core/lease.ts'
import { Sequence, type SequenceEvent } from '../core/sequence.ts'
import type { Store } from '../core/store.ts'
import type { Recorder } from '../status/recorder.ts'
import { systemClock } from '../system-clock.ts'
import { createLeaseLog } from './lease-log.ts'
import { type Change, SharedSequences } from './workers/shared-sequences.ts'

/**
 * The sequences of an instance on its store, with real time, its log and its figures. `tell` hears of each named one that
 * is made, moved or retired by way of this instance.
 */
export function openCore(
  config: Config,
  store: Store,
  log: Logger,
  recorder: Recorder,
  tell: (change: Change) => void = () => {},
): Held & { readonly sequences: SharedSequences } {
  const limits = {
    leaseTargetMs: config.lease.target_ms,
    leaseIdsMax: config.lease.ids_max,
    waitMsMax: config.wait_ms_max,
    waitersMax: config.waiters_max,
  }
  const open = (source: LeaseSource, observe: (event: SequenceEvent) => void) =>
    new Sequence({ source, clock: systemClock, random: Math.random, limits, observe })

  const openNamed = (name: string) => {
    const logLease = createLeaseLog(log, name)
    const opened: Sequence = open(store.segments.source(name), (event) => {
      const isRetired = event.type === 'lease-failed' && event.error.code === 'UNKNOWN_SEQUENCE'
      if (!isRetired) {
        recorder.observe(name, event)
        logLease(event)
      }
      // Not one of the same name that was made meanwhile.
      else if (sequences.held(name) === opened) sequences.hear(name, true)
    })
    recorder.show(name, opened)
    return opened
  }
  const sequences = new SharedSequences(
    {
      segments: store.segments,
      clock: systemClock,
      waitMsMax: config.wait_ms_max,
      sequencesMax: config.sequences_max,
      open: openNamed,
    },
    tell,
  )
  const logLease = createLeaseLog(log, 'generator')
  const generator = open(store.generator, (event) => {
    recorder.observe(null, event)
    logLease(event)
  })
  recorder.showGenerator(generator)
  return { generator, sequences }
}
