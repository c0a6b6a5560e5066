import { Administration } from '../../src/core/administration.ts'
import type { LeaseSource } from '../../src/core/lease.ts'
import type { SequenceEvent } from '../../src/core/sequence.ts'
import { Sequences } from '../../src/core/sequences.ts'
import type { GeneratorAgreement } from '../../src/core/store.ts'
import { NamedIds } from '../../src/fronts/redis/named-ids.ts'
import { Tally } from '../../src/fronts/tally.ts'
import { Calendar } from '../../src/rules/calendar.ts'
import type { CounterRange } from '../../src/rules/counter.ts'
import type { RuleClock } from '../../src/rules/rule-clock.ts'
import type { TimeZone } from '../../src/rules/time-zone.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Coverage } from './coverage.ts'
import type { SimulatedDatabase } from './database.ts'
import type { Parts } from './parts.ts'
import { SimulatedCounters, SimulatedGenerator, SimulatedSegments, type StoreOptions } from './stores.ts'
import { WatchedCounter } from './watched-counter.ts'
import type { WatchedSequence } from './watched-sequence.ts'
import { Holding, type StreamKind, type Witness } from './witness.ts'

/** What all instances of a fleet share. */
export interface World {
  readonly clock: VirtualClock
  readonly random: () => number
  readonly database: SimulatedDatabase
  readonly witness: Witness
  readonly coverage: Coverage
  readonly parts: Parts
  readonly provenance: boolean
  readonly zone: TimeZone
  /** The wall clock of all that are right, at the start. */
  readonly wallMs: number
  readonly rule: { readonly range: CounterRange; readonly resetSeconds: number }
  readonly trace: (line: string) => void
}

const LIMITS = { leaseTargetMs: 200, leaseIdsMax: 400, waitMsMax: 500, waitersMax: 12 }

/** Counters in memory: few, so that some are evicted. */
const COUNTERS_MAX = 2

/** One process: what `open-core` and `Rules` put together, with virtual time and the simulated store. */
export class Instance {
  readonly name: string
  readonly agreement: GeneratorAgreement
  readonly generator: WatchedSequence
  readonly sequences: Sequences
  readonly named: NamedIds
  readonly administration: Administration
  readonly time: RuleClock
  /** How far its wall clock is off. */
  wallOffsetMs: number
  readonly #world: World
  readonly #options: StoreOptions
  readonly #counters = new Map<string, WatchedCounter>()
  #isClosed = false

  constructor(name: string, agreement: GeneratorAgreement, wallOffsetMs: number, world: World) {
    const { clock, database, provenance, parts } = world
    this.name = name
    this.agreement = agreement
    this.wallOffsetMs = wallOffsetMs
    this.#world = world
    this.#options = { agreement, provenance, moveCounter: parts.moveCounter }
    const segments = new SimulatedSegments(database, this.#options)
    const generator = new SimulatedGenerator(database, this.#options)
    this.generator = this.#open('generator', '', generator, (event) => {
      if (event.type === 'leased' && agreement.step !== database.tables.agreement?.step)
        world.witness.violated(`I7: ${name} leased with a step that the others do not have`)
    })
    this.sequences = new Sequences({
      segments,
      clock,
      waitMsMax: LIMITS.waitMsMax,
      sequencesMax: 100,
      open: (sequence) => {
        if (this.#isClosed) world.witness.violated(`${name} opens ${sequence} although it has ended`)
        const opened: WatchedSequence = this.#open(
          'segment',
          sequence,
          segments.source(sequence),
          (event) => {
            const isRetired = event.type === 'lease-failed' && event.error.code === 'UNKNOWN_SEQUENCE'
            if (isRetired && this.sequences.held(sequence) === opened) this.sequences.drop(sequence)
          },
        )
        return opened
      },
    })
    this.named = new NamedIds(this.sequences, segments, new Tally())
    this.administration = new Administration({ generator, segments, provenance: undefined }, this)
    this.time = new parts.Clock(
      () => world.wallMs + clock.now() + this.wallOffsetMs,
      () => clock.now(),
    )
  }

  /** The counter of an app, made at need where there is room. */
  counter(appName: string): WatchedCounter | undefined {
    const held = this.#counters.get(appName)
    if (held !== undefined) return held
    if (this.#counters.size >= COUNTERS_MAX && !this.evict()) return undefined
    const { database, clock, random, witness, coverage, zone, rule } = this.#world
    const counter = new WatchedCounter(
      {
        key: { nodeOffset: 0, ruleName: 'rule', appName },
        store: new SimulatedCounters(database, this.#options),
        range: rule.range,
        calendar: new Calendar(zone, rule.resetSeconds),
        time: this.time,
        batchSave: 8,
        clock,
        random,
        observe: () => {},
      },
      { witness, coverage, instance: this.name, resetSeconds: rule.resetSeconds },
    )
    this.#counters.set(appName, counter)
    return counter
  }

  /** As `Rules` makes room: drops a counter whose period is over. */
  evict(): boolean {
    for (const [appName, counter] of this.#counters) {
      if (!counter.isOver(this.time.seconds())) continue
      this.#world.coverage.took('counter: evicted after its period')
      this.#counters.delete(appName)
      counter.close()
      return true
    }
    return false
  }

  close(): void {
    this.#isClosed = true
    this.generator.close()
    this.sequences.close()
    for (const counter of this.#counters.values()) counter.close()
  }

  #open(
    kind: StreamKind,
    sequence: string,
    source: LeaseSource,
    observe: (event: SequenceEvent) => void,
  ): WatchedSequence {
    const { clock, random, witness, coverage, parts, trace } = this.#world
    return new parts.Sequence(
      {
        source: parts.source(source),
        clock,
        random,
        limits: LIMITS,
        observe: (event) => {
          const what =
            event.type === 'leased'
              ? event.leases.map(({ start, end }) => `[${start}, ${end})`).join(' ')
              : `${event.error.code} ${event.error.floor ?? ''}`
          trace(`${this.name}, ${sequence || 'generator'}: ${what}`)
          observe(event)
        },
      },
      { witness, coverage, holding: new Holding(this.name, witness.stream(kind, sequence)) },
    )
  }
}
