import type { Logger } from '@logtape/logtape'
import type { Config } from '../config/schema.ts'
import type { Store } from '../core/store.ts'
import { RuleClock } from '../rules/rule-clock.ts'
import { Rules } from '../rules/rules.ts'
import { TimeZone } from '../rules/time-zone.ts'
import { systemClock } from '../system-clock.ts'
import { createLeaseLog } from './lease-log.ts'

/** The rules of an instance on its store, with real time and its log. None is loaded yet. */
export function openRules({ udp }: Config, store: Store, log: Logger): Rules {
  return new Rules({
    store: store.counters,
    zone: new TimeZone(udp.time_zone),
    time: new RuleClock(Date.now, () => performance.now()),
    clock: systemClock,
    random: Math.random,
    idStep: udp.id_step,
    idOffset: udp.id_offset,
    countersMax: udp.counters_max,
    observer: (counter) => createLeaseLog(log, counter),
  })
}
