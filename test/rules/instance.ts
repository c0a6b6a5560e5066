import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CounterStore } from '../../src/core/store.ts'
import { RuleClock } from '../../src/rules/rule-clock.ts'
import { Rules, type RulesOptions } from '../../src/rules/rules.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'
import { systemClock } from '../../src/system-clock.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { MemoryCounters } from './memory-counters.ts'

/** A script of a rule, with what a test changes in it. */
export function script({
  min = '0',
  max = '999999',
  reset = '86400',
  body = "return string.format('%04d%02d%02d%02d%02d%02d/%d', now:year(), now:month(), now:day(), now:hour(), now:minute(), now:second(), counter:generate_counter())",
} = {}): string {
  return `
function min_counter() return ${min} end
function max_counter() return ${max} end
function reset_seconds() return ${reset} end
function create_id(counter, now, salt)
  ${body}
end
`
}

/** A wall clock that a test sets, with a monotonic clock that goes along when it passes. */
export class TestTime {
  wallMs: number
  monotonicMs = 0

  constructor(utc: string) {
    this.wallMs = Date.parse(`${utc}Z`)
  }

  pass(seconds: number): void {
    this.wallMs += seconds * 1000
    this.monotonicMs += seconds * 1000
  }

  clock(): RuleClock {
    return new RuleClock(
      () => this.wallMs,
      () => this.monotonicMs,
    )
  }
}

/** Rules of an instance, closed with the test. */
export function openRules(
  options: Partial<RulesOptions> & { readonly store?: CounterStore; readonly time?: RuleClock } = {},
): Rules {
  const rules = new Rules({
    store: new MemoryCounters(),
    zone: new TimeZone('UTC'),
    time: new TestTime('2026-11-21T10:20:30').clock(),
    clock: systemClock,
    random: Math.random,
    idStep: 1,
    idOffset: 0,
    countersMax: 1000,
    observer: () => () => {},
    ...options,
  })
  onTestFinished(() => rules.close())
  return rules
}

/** Writes scripts by the names of their rules; resolves with the configuration of these rules. */
export async function writeRules(scripts: Readonly<Record<string, string>>, batchSave = 100) {
  const folder = await temporaryFolder()
  return Promise.all(
    Object.entries(scripts).map(async ([name, text]) => {
      const file = join(folder, `${name}.lua`)
      await writeFile(file, text)
      return { name, lua_file: file, batch_save: batchSave }
    }),
  )
}
