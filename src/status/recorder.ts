import type { SequenceError } from '../core/errors.ts'
import type { Sequence, SequenceEvent } from '../core/sequence.ts'
import type { Sequences } from '../core/sequences.ts'
import { FaultLog } from './fault-log.ts'
import type { FrontFigures } from './front-figures.ts'
import { FAULTS_SHOWN_MAX, SEQUENCES_SHOWN_MAX } from './limits.ts'
import { SequenceRecord } from './sequence-record.ts'
import type { FaultReport, FrontStatus, InstanceStatus, OtherSequences, ScriptStatus } from './status.ts'

/** What leases are for: the generator, named sequences, or counters of rules. */
export const LEASE_KINDS = ['generator', 'named', 'counter'] as const
export type LeaseKind = (typeof LEASE_KINDS)[number]

export interface RecorderOptions {
  readonly uuid: string
  readonly version: string
  /** The name of the machine. */
  readonly host: string
  /** Milliseconds since 1970. For people: nothing depends on it (I10). */
  readonly wallClock: () => number
  /** Whom to tell of each lease as well. */
  readonly observeLease: (kind: LeaseKind, event: SequenceEvent) => void
}

/** A front that listens. */
export interface ShownFront {
  readonly name: FrontStatus['name']
  readonly address: string
  readonly front: { readonly figures: FrontFigures }
}

/** What the recorder does not keep itself, as it is now. */
export interface Present {
  readonly unreadiness: string | undefined
  readonly store: string
  readonly sequences: Sequences
  readonly fronts: readonly ShownFront[]
  readonly scripts: readonly ScriptStatus[]
}

/** The faults among a front's failures: the others are mistakes of clients, or are told of by the sequence that they befell. */
const FRONT_FAULTS = new Set(['RULE_FAILED', 'TOO_MANY_SEQUENCES', 'TOO_MANY_WAITERS', 'WAIT_TIMEOUT'])

/** Makes the status of one instance. Nothing here is on the way of an id: figures are read from the sequences when asked for. */
export class Recorder {
  readonly #options: RecorderOptions
  readonly #startedAtMs: number
  readonly #faults = new FaultLog()
  #generator: SequenceRecord | undefined
  /** The named sequences that are shown, by name. One keeps its place until it leaves the memory. */
  readonly #shown = new Map<string, SequenceRecord>()
  /** Ids of shown sequences that left the memory, which are not those of others. */
  #droppedIssued = 0
  #storeFault: string | null = null

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#startedAtMs = options.wallClock()
  }

  /** The generator, which is always shown. */
  showGenerator(generator: Sequence): void {
    this.#generator = new SequenceRecord(null, generator)
  }

  /** A named sequence that comes into memory: shown while there is room. */
  show(name: string, sequence: Sequence): void {
    this.#forget(name)
    if (this.#shown.size < SEQUENCES_SHOWN_MAX) this.#shown.set(name, new SequenceRecord(name, sequence))
  }

  /** Takes note of what happened to a sequence, by name; null is the generator. */
  observe(name: string | null, event: SequenceEvent): void {
    const record = name === null ? this.#generator : this.#shown.get(name)
    record?.observe(event, this.#options.wallClock())
    if (name === null) this.#observeLease('generator', 'generator', event)
    else this.#observeLease('named', `sequence ${name}`, event)
  }

  /** Takes note of what happened to the counter of a rule. */
  observeCounter(counter: string, event: SequenceEvent): void {
    this.#observeLease('counter', `counter ${counter}`, event)
  }

  /** To be called once a second: counts the ids of that second. */
  sample(): void {
    this.#generator?.sample()
    for (const record of this.#shown.values()) record.sample()
  }

  status({ unreadiness, store, sequences, fronts, scripts }: Present): InstanceStatus {
    const { uuid, version, host } = this.#options
    for (const [name, { sequence }] of this.#shown) if (sequences.held(name) !== sequence) this.#forget(name)
    const generator = this.#generator === undefined ? [] : [this.#generator]
    const named = [...this.#shown.values()]
    return {
      uuid,
      version,
      host,
      startedAtMs: this.#startedAtMs,
      unreadiness: unreadiness ?? null,
      store: { description: store, fault: this.#storeFault },
      sequences: [...generator, ...named].map(({ status }) => status),
      sequencesHeld: sequences.size,
      others: this.#others(sequences, named),
      fronts: fronts.map(toStatus),
      scripts,
      faults: [...this.#faults.all, ...fronts.flatMap(faultsOf)]
        .sort((a, b) => b.atMs - a.atMs)
        .slice(0, FAULTS_SHOWN_MAX),
    }
  }

  #observeLease(kind: LeaseKind, where: string, event: SequenceEvent): void {
    this.#options.observeLease(kind, event)
    if (event.type === 'leased') {
      this.#storeFault = null
      return
    }
    const { error } = event
    this.#faults.add(where, error, this.#options.wallClock())
    if (isOfStore(error)) this.#storeFault = error.message
  }

  #forget(name: string): void {
    this.#droppedIssued += this.#shown.get(name)?.sequence.issued ?? 0
    this.#shown.delete(name)
  }

  #others(sequences: Sequences, shown: readonly SequenceRecord[]): OtherSequences {
    let left = 0
    let issued = sequences.droppedIssued - this.#droppedIssued
    let waiting = 0
    for (const sequence of sequences.all()) {
      left += sequence.left
      issued += sequence.issued
      waiting += sequence.waiting
    }
    for (const { sequence } of shown) {
      left -= sequence.left
      issued -= sequence.issued
      waiting -= sequence.waiting
    }
    return { left, issued, waiting }
  }
}

function isOfStore({ code }: SequenceError): boolean {
  return code === 'STORE_UNAVAILABLE' || code === 'STORE_MISCONFIGURED'
}

function toStatus({ name, address, front: { figures } }: ShownFront): FrontStatus {
  const { failures } = figures
  return {
    name,
    address,
    ...figures,
    failures: Object.fromEntries([...failures].map(([code, { times }]) => [code, times])),
  }
}

function faultsOf({ name, front }: ShownFront): FaultReport[] {
  return [...front.figures.failures]
    .filter(([code]) => FRONT_FAULTS.has(code))
    .map(([code, failure]) => ({ where: `${name} front`, code, ...failure }))
}
