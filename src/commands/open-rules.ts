import type { Logger } from '@logtape/logtape'
import type { Config } from '../config/schema.ts'
import type { Store } from '../core/store.ts'
import { RuleClock } from '../rules/rule-clock.ts'
import { Rules } from '../rules/rules.ts'
import { TimeZone } from '../rules/time-zone.ts'
import type { Recorder } from '../status/recorder.ts'
import { systemClock } from '../system-clock.ts'
import { createLeaseLog } from './lease-log.ts'

/** The rules of an instance on its store, with real time, its log and its figures. None is loaded yet. */
export function openRules({ udp }: Config, store: Store, log: Logger, recorder: Recorder): Rules {
  return new Rules({
    store: store.counters,
    zone: new TimeZone(udp.time_zone),
    time: new RuleClock(Date.now, () => performance.now()),
    clock: systemClock,
    random: Math.random,
    idStep: udp.id_step,
    idOffset: udp.id_offset,
    countersMax: udp.counters_max,
    observer: (counter) => {
      const logLease = createLeaseLog(log, counter)
      return (event) => {
        recorder.observeCounter(counter, event)
        logLease(event)
      }
    },
  })
}
