import type { Logger } from '@logtape/logtape'
import type { Config } from '../config/schema.ts'
import type { Held } from '../core/administration.ts'
import type { LeaseSource } from '../core/lease.ts'
import { Sequence, type SequenceEvent } from '../core/sequence.ts'
import { Sequences } from '../core/sequences.ts'
import type { Store } from '../core/store.ts'
import type { Recorder } from '../status/recorder.ts'
import { systemClock } from '../system-clock.ts'
import { createLeaseLog } from './lease-log.ts'

/** The sequences of an instance on its store, with real time, its log and its figures. */
export function openCore(config: Config, store: Store, log: Logger, recorder: Recorder): Held {
  const limits = {
    leaseTargetMs: config.lease.target_ms,
    leaseIdsMax: config.lease.ids_max,
    waitMsMax: config.wait_ms_max,
    waitersMax: config.waiters_max,
  }
  const open = (source: LeaseSource, observe: (event: SequenceEvent) => void) =>
    new Sequence({ source, clock: systemClock, random: Math.random, limits, observe })

  const sequences = new Sequences({
    segments: store.segments,
    clock: systemClock,
    waitMsMax: config.wait_ms_max,
    sequencesMax: config.sequences_max,
    open: (name) => {
      const logLease = createLeaseLog(log, name)
      const opened: Sequence = open(store.segments.source(name), (event) => {
        const isRetired = event.type === 'lease-failed' && event.error.code === 'UNKNOWN_SEQUENCE'
        if (!isRetired) {
          recorder.observe(name, event)
          logLease(event)
        }
        // Not one of the same name that was made meanwhile.
        else if (sequences.held(name) === opened) sequences.drop(name)
      })
      recorder.show(name, opened)
      return opened
    },
  })
  const logLease = createLeaseLog(log, 'generator')
  const generator = open(store.generator, (event) => {
    recorder.observe(null, event)
    logLease(event)
  })
  recorder.showGenerator(generator)
  return { generator, sequences }
}
