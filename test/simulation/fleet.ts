import { SequenceError } from '../../src/core/errors.ts'
import { FIRST_BIGINT_ID, ID_END, type Id } from '../../src/core/id.ts'
import type { GeneratorAgreement } from '../../src/core/store.ts'
import { TimeZone } from '../../src/rules/time-zone.ts'
import { leaseStart } from '../../src/store/generator.ts'
import { seededRandom } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { Coverage } from './coverage.ts'
import type { Fate, SimulatedDatabase } from './database.ts'
import { Instance, type World } from './instance.ts'
import { PARTS, type Parts } from './parts.ts'
import { greatestId, TABLE_NAMES, type TableName } from './tables.ts'
import { type StreamKind, Witness } from './witness.ts'

export interface ScheduleResult {
  readonly issued: number
  /** Of all that happened, in order. */
  readonly hash: number
  /** Sentences about promises that were broken; empty when all invariants held. */
  readonly violations: readonly string[]
}

export interface ScheduleOptions {
  /** Something broken in the place of a part. */
  readonly parts?: Partial<Parts>
  readonly coverage?: Coverage
  /** Gets a line for each thing that happens, for the person who looks into a violation. */
  readonly trace?: (line: string) => void
}

const STEPS = [1, 2, 3, 10, 100]
const NAMES = ['a', 'b']
const APPS = ['x', 'y', 'z']
const INSTANCES_MAX = 3
const ACTIONS = 24
const PAUSE_MS_MAX = 60

/** How long what waits, stalls or pauses may take, all together. */
const DRAIN_MS = 6_000

/** What may become of transactions, each as likely as the others. */
const NETWORKS: readonly (readonly Fate[])[] = [
  ['commit'],
  ['commit', 'commit', 'commit', 'drop before commit', 'drop after commit', 'stall', 'roll back', 'deadlock'],
  ['commit', 'drop after commit', 'drop, then commit'],
  ['stall', 'commit'],
  ['deadlock', 'commit'],
]

/** Kinds of sequences that a schedule is about. */
const FOCUSES: readonly (readonly StreamKind[])[] = [
  ['generator'],
  ['segment'],
  ['counter'],
  ['generator', 'segment', 'counter'],
]

/** 25 October 2026, 01:00 UTC, when clocks in Central Europe go back an hour. */
const CLOCKS_CHANGE_SECONDS = 1_792_890_000
const RESETS_SECONDS = [0, 1, 2, 3_600, 86_400]
const CLOCK_JUMPS_MS = [-3_600_000, -2_000, -700, 700, 2_000, 3_600_000, 200_000_000]

/** Central Europe on that day, without the cost of `Intl`. */
class OneChange extends TimeZone {
  override offsetAt(seconds: number): number {
    return seconds < CLOCKS_CHANGE_SECONDS ? 7_200 : 3_600
  }
}

const ZONE = new OneChange('UTC')

/** Runs a fleet on one database in virtual time through a schedule that follows from `seed` alone. */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const fleet = new Fleet(seed, options)
  await fleet.run()
  const { issued, hash, violations } = fleet.witness
  return { issued, hash, violations }
}

class Fleet {
  readonly witness: Witness
  readonly #random: () => number
  readonly #clock = new VirtualClock()
  readonly #database: SimulatedDatabase
  readonly #world: World
  readonly #agreement: GeneratorAgreement
  readonly #focus: readonly StreamKind[]
  readonly #trace: (line: string) => void
  readonly #isNearEnd: boolean
  #instances: Instance[] = []
  #started = 0
  /** Requests and orders that have not settled. */
  #pending = 0

  constructor(seed: number, options: ScheduleOptions) {
    const random = seededRandom(seed)
    const coverage = options.coverage ?? new Coverage()
    const parts = { ...PARTS, ...options.parts }
    const clock = this.#clock
    this.#random = random
    this.#trace = options.trace
      ? (line) => options.trace?.(`${clock.now().toFixed(0)} ms: ${line}`)
      : () => {}
    this.#agreement = { step: this.#pick(STEPS), first: this.#pick([0, 1] as const) }
    this.#focus = this.#pick(FOCUSES)
    this.#isNearEnd = random() < 0.25
    const provenance = random() < 0.4
    this.#database = new parts.Database(clock, random, coverage)
    this.witness = new Witness(this.#database, provenance, coverage)
    if (this.#isNearEnd)
      this.#database.tables.nextId = this.#nearEnd() / BigInt(this.#agreement.step) - BigInt(this.#below(3))
    this.#world = {
      clock,
      random,
      database: this.#database,
      witness: this.witness,
      coverage,
      parts,
      provenance,
      zone: ZONE,
      wallMs: (CLOCKS_CHANGE_SECONDS - this.#pick([0, 1, 3_600, 7_200, 10_800])) * 1000 - 500,
      rule: {
        range: {
          first: this.#isNearEnd ? FIRST_BIGINT_ID - 40n : 1n,
          last: this.#pick([30n, 10_000n, ID_END]) + (this.#isNearEnd ? FIRST_BIGINT_ID : 0n),
          step: this.#pick([1n, 2n]),
        },
        resetSeconds: this.#pick(RESETS_SECONDS),
      },
      trace: this.#trace,
    }
  }

  async run(): Promise<void> {
    this.start()
    if (this.#random() < 0.5) this.start()
    for (let i = 0; i < ACTIONS; i++) {
      const [, name, act] = this.#pickAction()
      this.#trace(name)
      this.witness.mix(i)
      await act(this)
      await this.#clock.advance(this.#random() * PAUSE_MS_MAX)
    }
    if (this.#random() < 0.25) await this.#heal()
    for (const instance of this.#instances) instance.close()
    await this.#clock.advance(DRAIN_MS)
    this.#checkNothingLeft()
  }

  take(): void {
    const instance = this.#anyInstance()
    const times = 1 + this.#below(12)
    const kind = this.#pick(this.#focus)
    const name = this.#pick(NAMES)
    const app = this.#pick(APPS)
    for (let i = 0; instance !== undefined && i < times; i++)
      this.#track(
        kind === 'generator'
          ? instance.generator.take()
          : kind === 'segment'
            ? instance.named.take(name)
            : instance.counter(app)?.take(),
      )
  }

  takeMany(): void {
    const instance = this.#anyInstance()
    if (instance === undefined) return
    const count = 1 + this.#below(this.#random() < 0.2 ? 120 : 20)
    const kind = this.#pick(this.#focus)
    const name = this.#pick(NAMES)
    if (kind === 'generator') {
      this.#track(instance.generator.takeMany(count))
      // A smaller one behind it is not held up.
      this.#track(instance.generator.take())
    } else if (kind === 'counter') this.#track(instance.counter(this.#pick(APPS))?.takeMany(count))
    else this.#track(instance.sequences.find(name).then((sequence) => sequence.takeMany(count)))
  }

  takeRow(): void {
    const instance = this.#anyInstance()
    if (instance === undefined) return
    const count = this.#random() < 0.05 ? 500 : 1 + this.#below(30)
    const name = this.#pick(NAMES)
    const way = this.#random()
    if (way < 0.4) {
      this.#track(instance.generator.takeRow(count))
      this.#track(instance.generator.takeRow(count))
    } else if (way < 0.6) this.#track(instance.named.takeRowOrCreate(name, count))
    else this.#track(instance.sequences.find(name).then((sequence) => sequence.takeRow(count)))
  }

  start(): void {
    if (this.#instances.length >= INSTANCES_MAX) return
    const isMismatched = this.#random() < 0.04
    const agreement = isMismatched ? { ...this.#agreement, step: this.#agreement.step + 1 } : this.#agreement
    const skewMs = this.#random() < 0.5 ? 0 : (this.#random() - 0.5) * 3_000
    const instance = new Instance(`instance-${++this.#started}`, agreement, skewMs, this.#world)
    if (this.#focus.includes('generator')) instance.generator.warm()
    this.#instances.push(instance)
  }

  /** As kill -9 or a drain: what it held and what it asked for is lost, though its transaction may still commit. */
  end(): void {
    this.#instances.splice(this.#below(this.#instances.length), 1)[0]?.close()
  }

  changeNetwork(): void {
    this.#database.fates = this.#pick(NETWORKS)
  }

  crash(): void {
    this.#database.crash()
  }

  startDatabase(): void {
    this.#database.start(this.#random() < 0.5)
  }

  pass(): Promise<void> {
    return this.#clock.advance(2_500)
  }

  backUp(): void {
    this.#database.backUp()
  }

  restore(): void {
    this.#restore(TABLE_NAMES)
  }

  restoreOne(): void {
    this.#restore([this.#pick(TABLE_NAMES)])
  }

  loseCounter(): void {
    this.#database.loseCounter()
    this.witness.loseCounter()
  }

  lowerRow(): void {
    const name = this.#pick(NAMES)
    const { maxId } = this.#database.tables.segments.get(name) ?? { maxId: 1n }
    if (this.#database.setRow(name, maxId / 2n)) this.witness.regressOne(name)
  }

  setClock(): void {
    const instance = this.#anyInstance()
    if (instance === undefined) return
    const jumpMs = this.#pick(CLOCK_JUMPS_MS)
    if (jumpMs < 0) this.#world.coverage.took('counter: clock set back')
    instance.wallOffsetMs += jumpMs
  }

  renew(): void {
    const instance = this.#anyInstance()
    if (instance === undefined) return
    instance.generator.renew()
    instance.sequences.renew(this.#pick(NAMES))
  }

  /** All at once: as at the same request to every instance. */
  renewAll(): void {
    for (const { generator, sequences } of this.#instances) {
      generator.renew()
      for (const sequence of sequences.all()) sequence.renew()
    }
  }

  create(): void {
    const start = this.#isNearEnd ? this.#nearEnd() - BigInt(this.#below(60)) : BigInt(this.#below(50))
    this.#administer((instance) =>
      instance.administration.create(this.#pick(NAMES), start, this.#pick([1, 5, 20, 100])),
    )
  }

  retire(): void {
    const name = this.#pick(NAMES)
    if (this.#random() < 0.5) this.#administer(({ named }) => named.retire(name))
    else this.#administer(({ administration }) => administration.retire(name))
  }

  /** By two instances, which do not wait for each other. */
  retireAndCreate(): void {
    const name = this.#pick(NAMES)
    this.#administer(({ administration }) => administration.retire(name))
    this.#administer(({ administration }) => administration.create(name, 1n, this.#pick([1, 5, 20])))
  }

  startAt(): void {
    const name = this.#pick(NAMES)
    const start = this.#isNearEnd ? this.#nearEnd() - BigInt(this.#below(60)) : BigInt(this.#below(400))
    this.#administer(async (instance) => {
      if (this.#random() < 0.7) await instance.named.startAt(name, start)
      else await instance.administration.advanceTo(name, start)
      this.witness.moved(instance.name, name, start)
    })
  }

  find(): void {
    this.#administer(({ named }) => named.exists(this.#pick([...NAMES, 'unknown'])))
  }

  evict(): void {
    this.#anyInstance()?.evict()
  }

  /** An operator who knows how much was lost moves everything past it. */
  advance(): void {
    const { tables, locks } = this.#database
    const positions = new Map([...tables.segments].map(([name, { maxId }]) => [name, maxId]))
    positions.set('', leaseStart(greatestId(tables) + 1n, this.#agreement))
    const lost = this.witness.lost(positions) + 1n
    const ids = lost < ID_END ? lost : ID_END - 1n
    this.#administer(async ({ administration }) => {
      const { failures } = await administration.advanceAllBy(ids)
      this.#trace(`advanced by ${ids}, ${failures.length} failures`)
    })
    for (const [row, { isRefused, updateSeconds }] of tables.counters) {
      if (!isRefused || locks.has(row)) continue
      const counter = this.witness.mendCounter(row.slice(row.lastIndexOf('/') + 1))
      tables.counters.set(row, { counter, updateSeconds, isRefused: false })
    }
  }

  #restore(names: readonly TableName[]): void {
    if (!this.#database.up || !this.#database.restore(names)) return
    const has = (...wanted: TableName[]) => wanted.some((name) => names.includes(name))
    if (has('generator', 'meta', 'leases')) this.witness.regress(['generator'], has('meta'))
    if (has('segments', 'meta', 'leases')) this.witness.regress(['segment'], has('meta'))
    if (has('counters')) this.witness.regress(['counter'], true)
  }

  /** Once the store is well and an operator has advanced it, every instance serves again. */
  async #heal(): Promise<void> {
    this.#database.fates = ['commit']
    this.#database.start(false)
    await this.#clock.advance(DRAIN_MS)
    const { step } = this.#database.tables.agreement ?? this.#agreement
    this.#database.tables.agreement ??= this.#agreement
    for (const instance of this.#instances) if (instance.agreement.step !== step) instance.close()
    this.#instances = this.#instances.filter(({ agreement }) => agreement.step === step)
    // Again as long as there is a refusal: one that was found just before the advance may be recorded just after it.
    for (let tries = 0; tries === 0 || (tries < 3 && this.#database.tables.floors.size > 0); tries++) {
      this.advance()
      // Longer than the pause after a refusal, and than a name is taken for unknown.
      await this.#clock.advance(1_500)
    }
    for (const instance of this.#instances) {
      this.#expectIds(instance, 'the generator', instance.generator.take())
      for (const name of this.#database.tables.segments.keys())
        this.#expectIds(instance, name, instance.named.take(name))
    }
    await this.#clock.advance(1_500)
  }

  #expectIds({ name }: Instance, what: string, taken: Id | Promise<Id>): void {
    this.#track(taken)
    Promise.resolve(taken).catch((error: SequenceError) => {
      if (error.code !== 'EXHAUSTED')
        this.witness.violated(`${name} serves nothing of ${what} on a store that is well: ${error.message}`)
    })
  }

  #checkNothingLeft(): void {
    const left = { requests: this.#pending, transactions: this.#database.running, timers: this.#clock.timers }
    for (const [what, count] of Object.entries(left))
      if (count !== 0) this.witness.violated(`I8: ${count} ${what} are left at the end`)
  }

  #administer(order: (instance: Instance) => Promise<unknown>): void {
    const instance = this.#anyInstance()
    if (instance !== undefined) this.#track(order(instance))
  }

  /** Anything may fail, but only in a way that has a code. */
  #track(promise: unknown): void {
    if (!(promise instanceof Promise)) return
    this.#pending++
    promise.then(
      () => this.#pending--,
      (error: unknown) => {
        this.#pending--
        if (!(error instanceof SequenceError)) this.witness.violated(`crash: ${(error as Error).stack}`)
      },
    )
  }

  #anyInstance(): Instance | undefined {
    return this.#instances[this.#below(this.#instances.length)]
  }

  #nearEnd(): bigint {
    return this.#pick([FIRST_BIGINT_ID, FIRST_BIGINT_ID, ID_END])
  }

  #pickAction(): Action {
    let place = this.#random() * WEIGHT
    for (const action of ACTIONS_BY_WEIGHT) {
      place -= action[0]
      if (place < 0) return action
    }
    return ACTIONS_BY_WEIGHT[0] as Action
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T
  }
}

type Action = readonly [weight: number, name: string, act: (fleet: Fleet) => unknown]

/** What a schedule may do next. */
const ACTIONS_BY_WEIGHT: readonly Action[] = [
  [40, 'take', (fleet) => fleet.take()],
  [10, 'take many', (fleet) => fleet.takeMany()],
  [6, 'take a row', (fleet) => fleet.takeRow()],
  [6, 'start an instance', (fleet) => fleet.start()],
  [4, 'end an instance', (fleet) => fleet.end()],
  [6, 'change the network', (fleet) => fleet.changeNetwork()],
  [2, 'crash the database', (fleet) => fleet.crash()],
  [4, 'start the database', (fleet) => fleet.startDatabase()],
  [2, 'pass some time', (fleet) => fleet.pass()],
  [4, 'back up', (fleet) => fleet.backUp()],
  [3, 'restore', (fleet) => fleet.restore()],
  [3, 'restore one table', (fleet) => fleet.restoreOne()],
  [1, 'lose the auto-increment counter', (fleet) => fleet.loseCounter()],
  [3, 'lower a row', (fleet) => fleet.lowerRow()],
  [6, 'set a clock', (fleet) => fleet.setClock()],
  [4, 'renew', (fleet) => fleet.renew()],
  [2, 'renew all', (fleet) => fleet.renewAll()],
  [7, 'create', (fleet) => fleet.create()],
  [3, 'retire', (fleet) => fleet.retire()],
  [3, 'retire and make again', (fleet) => fleet.retireAndCreate()],
  [4, 'start at', (fleet) => fleet.startAt()],
  [2, 'find', (fleet) => fleet.find()],
  [2, 'evict', (fleet) => fleet.evict()],
  [3, 'advance all', (fleet) => fleet.advance()],
]

const WEIGHT = ACTIONS_BY_WEIGHT.reduce((sum, [weight]) => sum + weight, 0)
