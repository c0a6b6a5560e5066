import type { Clock } from '../core/clock.ts'
import { SequenceError } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { SequenceEvent } from '../core/sequence.ts'
import type { CounterStore } from '../core/store.ts'
import type { ScriptStatus } from '../status/status.ts'
import { Calendar } from './calendar.ts'
import { Counter, type TakenOne } from './counter.ts'
import {
  APP_NAME_LENGTH_MAX,
  EVICTION_TRIES,
  READS_MAX,
  RUNS_WAITING_MAX,
  SALT_LENGTH_MAX,
} from './limits.ts'
import { Moments } from './moment.ts'
import { type LoadedRule, loadRule, type RuleConfig, readScript } from './rule.ts'
import type { RuleClock } from './rule-clock.ts'
import type { TimeZone } from './time-zone.ts'

export interface RulesOptions {
  readonly store: CounterStore
  readonly zone: TimeZone
  /** The clock that decides about periods. */
  readonly time: RuleClock
  /** The clock of deadlines. */
  readonly clock: Clock
  readonly random: () => number
  /** A counter gives `min + idOffset`, `min + idOffset + idStep`, … Instances with the same offset share counters. */
  readonly idStep: number
  readonly idOffset: number
  /** Most counters in memory. */
  readonly countersMax: number
  /** Whom to tell of a counter's reservations. `counter` names it, for people. */
  readonly observer: (counter: string) => (event: SequenceEvent) => void
}

/** What `monitor` tells of a counter. */
export interface CounterReport {
  /** The last number given here, or else the greatest one reserved. */
  readonly counter: Id
  readonly nodeOffset: number
}

/** A rule in service: its script, and its counters in memory. */
interface ServedRule extends LoadedRule {
  readonly calendar: Calendar
  /** By app_name, the one that was looked at longest ago first. */
  readonly counters: Map<string, Counter>
  readonly moments: Moments
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/

/** The rules of an instance: turns (rule, app, salt) into formatted ids. */
export class Rules {
  readonly #options: RulesOptions
  #rules = new Map<string, ServedRule>()
  /** Counters in memory, of all rules. */
  #held = 0
  #reading = 0
  #loading: Promise<void> = Promise.resolve()

  constructor(options: RulesOptions) {
    this.#options = options
  }

  /**
   * Has exactly these rules from now on, or, where one of them cannot be loaded, those from before: then it rejects with
   * RULE_FAILED and one line for each problem. A rule whose script and settings are as they were goes on undisturbed;
   * another starts from what the store has, and the numbers that were reserved for the old one become a gap.
   */
  load(configs: readonly RuleConfig[]): Promise<void> {
    // One after the other, since each compares with what the one before it left.
    const loaded = this.#loading.then(() => this.#loadAll(configs))
    this.#loading = loaded.catch(() => {})
    return loaded
  }

  async #loadAll(configs: readonly RuleConfig[]): Promise<void> {
    const loaded = await Promise.allSettled(configs.map((config) => this.#load(config)))
    const problems = loaded.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    const fulfilled = loaded.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const kept = new Set(this.#rules.values())
    if (problems.length > 0) {
      for (const rule of fulfilled) if (!kept.has(rule)) rule.thread.close()
      for (const problem of problems) if (!(problem instanceof SequenceError)) throw problem
      throw new SequenceError('RULE_FAILED', problems.map(({ message }) => message).join('\n'))
    }
    this.#rules = new Map(fulfilled.map((rule) => [rule.config.name, rule]))
    const reloaded = new SequenceError('SHUTTING_DOWN', 'the rule was reloaded; ask again')
    for (const rule of kept) if (!fulfilled.includes(rule)) this.#retire(rule, reloaded)
  }

  /** The names of the rules. */
  get names(): readonly string[] {
    return [...this.#rules.keys()]
  }

  /** The scripts, in the order of the rules. */
  get scripts(): readonly ScriptStatus[] {
    return [...this.#rules].map(
      ([
        rule,
        {
          thread: { busyMs, waiting, kills },
        },
      ]) => ({
        rule,
        busyMs,
        waiting,
        kills,
      }),
    )
  }

  /** Why a counter refuses the store (I3), if one does. */
  get refusal(): string | undefined {
    for (const { counters } of this.#rules.values())
      for (const { fault } of counters.values()) if (fault?.code === 'REGRESSED') return fault.message
    return undefined
  }

  /**
   * One formatted id: at once where it was made ahead. Rejects with UNKNOWN_RULE, BAD_REQUEST, RULE_FAILED, TOO_MANY_SEQUENCES, TOO_MANY_WAITERS, EXHAUSTED, or
   * as `Sequence.take` does; throws these where it knows at once. Asking again is safe.
   */
  create(ruleName: string, appName: string, salt: string): string | Promise<string> {
    const rule = this.#ready(ruleName, salt)
    const counter = this.#counter(rule, appName)
    const taken = counter.take()
    return taken instanceof Promise
      ? taken.then((late) => idOf(rule, counter, late, salt))
      : idOf(rule, counter, taken, salt)
  }

  /**
   * `count` formatted ids, all or nothing: with consecutive numbers of the counter, as far as no other instance shares it,
   * and all of one reading of the clock. Rejects as `create` does.
   */
  async createMany(
    ruleName: string,
    appName: string,
    salt: string,
    count: number,
  ): Promise<readonly string[]> {
    const rule = this.#ready(ruleName, salt)
    const counter = this.#counter(rule, appName)
    const { counters, seconds } = await counter.takeMany(count)
    return Promise.all(counters.map((number) => idOf(rule, counter, { counter: number, seconds }, salt)))
  }

  /** What is known of a counter, or undefined where there is none. Rejects with UNKNOWN_RULE or an error of the store. */
  async monitor(ruleName: string, appName: string): Promise<CounterReport | undefined> {
    const rule = this.#rule(ruleName)
    checkText('app_name', appName, APP_NAME_LENGTH_MAX)
    const nodeOffset = this.#options.idOffset
    const last = rule.counters.get(appName)?.last
    if (last !== undefined) return { counter: last, nodeOffset }
    // Each look takes a connection of the store for a moment, which reservations need as well.
    if (this.#reading >= READS_MAX)
      throw new SequenceError(
        'TOO_MANY_WAITERS',
        'too many requests look at counters already; try again later',
      )
    this.#reading++
    try {
      const row = await this.#options.store.read({ nodeOffset, ruleName, appName })
      return row && { counter: row.counter, nodeOffset }
    } finally {
      this.#reading--
    }
  }

  /** Requests that wait for a number fail with SHUTTING_DOWN; scripts that wait are run to the end. */
  close(): void {
    for (const rule of this.#rules.values()) this.#retire(rule)
    this.#rules.clear()
  }

  #ready(ruleName: string, salt: string): ServedRule {
    const rule = this.#rule(ruleName)
    checkText('salt', salt, SALT_LENGTH_MAX)
    // Before a number is taken: those of a flood that can only fail would exhaust the counter.
    const { waiting, refusal } = rule.thread
    if (refusal !== undefined) throw refusal
    if (waiting >= RUNS_WAITING_MAX)
      throw new SequenceError(
        'TOO_MANY_WAITERS',
        `${waiting} ids wait for this rule already; try again later`,
      )
    return rule
  }

  #rule(name: string): ServedRule {
    const rule = this.#rules.get(name)
    if (rule === undefined)
      throw new SequenceError('UNKNOWN_RULE', `there is no rule ${JSON.stringify(name)}`)
    return rule
  }

  async #load(config: RuleConfig): Promise<ServedRule> {
    const source = await readScript(config)
    const present = this.#rules.get(config.name)
    if (
      present?.source === source &&
      present.config.lua_file === config.lua_file &&
      present.config.batch_save === config.batch_save
    )
      return present
    const loaded = await loadRule(config, source, this.#options.idOffset)
    const calendar = new Calendar(this.#options.zone, loaded.settings.resetSeconds)
    return {
      ...loaded,
      calendar,
      counters: new Map(),
      moments: new Moments(calendar),
    }
  }

  #retire(rule: ServedRule, reason?: SequenceError): void {
    this.#held -= rule.counters.size
    for (const counter of rule.counters.values()) counter.close(reason)
    rule.thread.close()
  }

  #counter(rule: ServedRule, appName: string): Counter {
    const held = rule.counters.get(appName)
    if (held !== undefined) return held
    checkText('app_name', appName, APP_NAME_LENGTH_MAX)
    if (this.#held >= this.#options.countersMax && !this.#evict())
      throw new SequenceError(
        'TOO_MANY_SEQUENCES',
        `${this.#held} counters are in memory already; raise udp.counters_max, or use fewer app_names`,
      )
    const { store, time, clock, random, idStep, idOffset, observer } = this.#options
    const { config, settings, calendar } = rule
    const counter = new Counter({
      key: { nodeOffset: idOffset, ruleName: config.name, appName },
      store,
      range: { first: settings.min + BigInt(idOffset), last: settings.max, step: BigInt(idStep) },
      calendar,
      time,
      batchSave: config.batch_save,
      clock,
      random,
      observe: observer(`${config.name}/${appName}`),
    })
    rule.counters.set(appName, counter)
    this.#held++
    return counter
  }

  /** Makes room by dropping a counter whose period is over, which loses nothing: the next one starts at the minimum anyway. */
  #evict(): boolean {
    const now = this.#options.time.seconds()
    for (const { counters } of this.#rules.values()) {
      for (const [appName, counter] of firstOf(counters, EVICTION_TRIES)) {
        counters.delete(appName)
        if (counter.isOver(now)) {
          counter.close()
          this.#held--
          return true
        }
        counters.set(appName, counter)
      }
    }
    return false
  }
}

/** Entries to be looked at while the map is changed. */
function firstOf<K, V>(map: Map<K, V>, count: number): [K, V][] {
  const entries: [K, V][] = []
  for (const entry of map) {
    if (entries.length === count) break
    entries.push(entry)
  }
  return entries
}

function idOf(
  rule: ServedRule,
  counter: Counter,
  { counter: number, seconds }: TakenOne,
  salt: string,
): string | Promise<string> {
  const moment = rule.moments.at(seconds)
  const ahead = moment.aheadOf(counter)
  const { timeLine } = moment
  return (
    ahead.find(number, salt) ??
    rule.thread.run({ timeLine, counter: number, step: counter.step, salt, ahead })
  )
}

/** Control characters could not be told from the ends of lines on the way to a script, nor shown to a person. */
function checkText(what: string, text: string, lengthMax: number): void {
  if (text.length > lengthMax && [...text].length > lengthMax)
    throw new SequenceError('BAD_REQUEST', `${what} must not be longer than ${lengthMax} characters`)
  if (CONTROL.test(text) || !text.isWellFormed())
    throw new SequenceError('BAD_REQUEST', `${what} must be well-formed Unicode without control characters`)
}
