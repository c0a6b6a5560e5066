import type { Id } from '../../src/core/id.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { seededRandom } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { type Fate, SimulatedDatabase } from './database.ts'

export interface ScheduleResult {
  readonly issued: number
  /** Requests that failed with an error, which is allowed. */
  readonly failed: number
  /** Sentences about ids that were served twice or out of order; empty when all invariants held. */
  readonly violations: readonly string[]
}

const STEPS = [1, 2, 3, 10, 100]
const INSTANCES_MAX = 4
const ACTIONS = 120

/** What may become of transactions, each as likely as the others. */
const NETWORKS: readonly (readonly Fate[])[] = [
  ['commit'],
  ['commit', 'commit', 'drop-before-commit', 'drop-after-commit', 'stall'],
  ['drop-after-commit'],
  ['stall', 'commit'],
]

export interface ScheduleOptions {
  /** Gives the instances a store that answers before the commit is known. */
  readonly broken?: boolean
  /** Gets a line for each thing that happens, for the person who looks into a violation. */
  readonly trace?: (line: string) => void
}

/** Runs a fleet on one database in virtual time through a schedule that follows from `seed` alone. */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const fleet = new Fleet(seed, options)
  await fleet.run()
  return { issued: fleet.issued.size, failed: fleet.failed, violations: fleet.violations }
}

interface Instance {
  readonly name: string
  readonly sequence: Sequence
  last: Id
}

class Fleet {
  readonly issued = new Map<string, string>()
  readonly violations: string[] = []
  failed = 0
  readonly #random: () => number
  readonly #clock = new VirtualClock()
  readonly #database: SimulatedDatabase
  readonly #broken: boolean
  readonly #trace: (line: string) => void
  #instances: Instance[] = []
  #started = 0
  /**
   * While true no instance may start until the refusal is recorded: only one that has seen the lost leases can
   * notice a restored backup, and tell the others through the store.
   */
  #restored = false

  constructor(seed: number, { broken = false, trace = () => {} }: ScheduleOptions) {
    this.#random = seededRandom(seed)
    this.#broken = broken
    this.#trace = (line) => trace(`${this.#clock.now().toFixed(0)} ms: ${line}`)
    const agreement = { step: this.#pick(STEPS), first: this.#pick([0, 1] as const) }
    this.#database = new SimulatedDatabase(this.#clock, this.#random, agreement)
  }

  async run(): Promise<void> {
    this.#start()
    for (let i = 0; i < ACTIONS; i++) {
      await this.#act()
      await this.#clock.advance(this.#random() * 60)
    }
    for (const instance of this.#instances) instance.sequence.close()
    await this.#clock.advance(10_000)
  }

  async #act(): Promise<void> {
    const [action, run] = this.#pick(this.#actions)
    if (action !== 'take') this.#trace(action)
    await run()
  }

  /** What a schedule may do next; an action stands here as often as it is likely. */
  readonly #actions: (readonly [name: string, run: () => unknown])[] = [
    ...repeat(45, ['take', () => this.#take(this.#below(40))] as const),
    ...repeat(15, ['take', () => this.#takeMany(1 + this.#below(60))] as const),
    ...repeat(8, ['start an instance', () => this.#start()] as const),
    ...repeat(7, ['kill an instance', () => this.#kill()] as const),
    ...repeat(8, ['change the network', () => this.#changeNetwork()] as const),
    ...repeat(5, ['crash the database', () => this.#database.crash()] as const),
    ...repeat(5, ['start the database', () => this.#database.start(this.#random() < 0.5)] as const),
    ...repeat(2, ['pass three seconds', () => this.#clock.advance(3000)] as const),
    ...repeat(2, ['lose the counter', () => this.#database.loseCounter()] as const),
    ...repeat(1, ['back up', () => this.#database.backUp()] as const),
    ...repeat(2, ['restore the backup', () => this.#restoreBackup()] as const),
    ...repeat(2, ['advance', () => this.#advance()] as const),
  ]

  #start(): void {
    if (this.#instances.length >= INSTANCES_MAX || (this.#restored && !this.#database.refusing)) return
    const name = `instance-${++this.#started}`
    const sequence = new Sequence({
      source: this.#broken ? this.#database.brokenSource(name) : this.#database.source(name),
      clock: this.#clock,
      random: this.#random,
      limits: { leaseTargetMs: 200, leaseIdsMax: 500, waitMsMax: 500, waitersMax: 100 },
      observe: (event) =>
        this.#trace(
          event.type === 'leased'
            ? `${name} leased ${event.leases.map((lease) => `[${lease.start}, ${lease.end})`).join(' ')}`
            : `${name} got ${event.error.code} ${event.error.floor ?? ''}`,
        ),
    })
    sequence.warm()
    this.#instances.push({ name, sequence, last: -1 })
  }

  /** As kill -9: what it held and what it asked for is lost, though its transaction may still commit. */
  #kill(): void {
    const instance = this.#instances.splice(this.#below(this.#instances.length), 1)[0]
    instance?.sequence.close()
  }

  #take(times: number): void {
    const instance = this.#instances[this.#below(this.#instances.length)]
    if (instance === undefined) return
    for (let i = 0; i < times; i++) {
      const id = instance.sequence.take()
      if (typeof id === 'object')
        id.then(
          (late) => this.#record(instance, [late]),
          () => this.failed++,
        )
      else this.#record(instance, [id])
    }
  }

  #takeMany(count: number): void {
    const instance = this.#instances[this.#below(this.#instances.length)]
    if (instance === undefined) return
    const ids = instance.sequence.takeMany(count)
    if (Array.isArray(ids)) this.#record(instance, ids)
    else
      ids.then(
        (late) => this.#record(instance, late),
        () => this.failed++,
      )
  }

  #record(instance: Instance, ids: readonly Id[]): void {
    for (const id of ids) {
      const owner = this.issued.get(String(id))
      if (owner !== undefined)
        this.violations.push(`I1: ${instance.name} served ${id}, as ${owner} had before`)
      this.issued.set(String(id), instance.name)
      if (id <= instance.last)
        this.violations.push(`I5: ${instance.name} served ${id} after ${instance.last}`)
      instance.last = id
    }
  }

  /** A backup is put back under the instance that issued the greatest id; the others are gone by then. */
  #restoreBackup(): void {
    const greatest = this.#greatestIssued()
    const witness = this.#instances.find(({ last }) => BigInt(last) === greatest)
    if (!this.#database.up || this.#restored || witness === undefined) return
    for (const { sequence } of this.#instances.filter((instance) => instance !== witness)) sequence.close()
    this.#instances = [witness]
    this.#restored = true
    this.#database.restore()
  }

  #advance(): void {
    this.#database.advance()
    this.#restored = false
  }

  #greatestIssued(): bigint {
    let greatest = -1n
    for (const id of this.issued.keys()) if (BigInt(id) > greatest) greatest = BigInt(id)
    return greatest
  }

  #changeNetwork(): void {
    this.#database.fates = this.#pick(NETWORKS)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T
  }
}

function repeat<T>(times: number, value: T): T[] {
  return new Array<T>(times).fill(value)
}
