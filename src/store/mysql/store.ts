import type { Finding } from '../../core/finding.ts'
import type {
  CounterStore,
  GeneratorAgreement,
  GeneratorStore,
  ProvenanceStore,
  SegmentStore,
  Store,
} from '../../core/store.ts'
import { type ConnectionLimits, Connections } from './connections.ts'
import { MysqlCounters } from './counters.ts'
import { MysqlGenerator } from './generator.ts'
import { Inspection } from './inspection.ts'
import { Preparation } from './preparation.ts'
import { MysqlProvenance } from './provenance.ts'
import { MysqlSegments } from './segments.ts'
import type { MysqlAddress } from './session.ts'
import { Transactions } from './transactions.ts'

export interface MysqlStoreOptions extends MysqlAddress, ConnectionLimits {
  /** Deadline of a whole transaction, connecting and further attempts included. */
  readonly timeoutMs: number
  /** `auto` makes missing tables; with `manual` a person imports schema.sql. */
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  /** This instance's name. No two instances may share one. */
  readonly uuid: string
  /** Whether leases are recorded, and leases on record heeded. */
  readonly provenance: boolean
  /** Uniform in `[0, 1)`; spreads the attempts of a fleet. */
  readonly random: () => number
}

/** A store in MySQL, MariaDB or what speaks their protocol. It connects when it is first asked. */
export class MysqlStore implements Store {
  readonly description: string
  readonly generator: GeneratorStore
  readonly segments: SegmentStore
  readonly counters: CounterStore
  readonly provenance: ProvenanceStore | undefined
  readonly #connections: Connections
  readonly #preparation: Preparation
  readonly #inspection: Inspection

  constructor(options: MysqlStoreOptions) {
    const { host, port, socketPath, database, timeoutMs, schema, agreement, uuid, provenance, random } =
      options
    const description = `MySQL at ${socketPath ?? `${host}:${port}`}/${database}`
    this.description = description
    const connections = new Connections(options, options, description)
    const transactions = new Transactions({ connections, timeoutMs, random, description })
    const preparation = new Preparation({ transactions, schema, agreement, provenance, description })
    this.#connections = connections
    this.#preparation = preparation
    this.#inspection = new Inspection({ ...options, address: options, transactions, description })
    this.generator = new MysqlGenerator({ transactions, preparation, agreement, uuid, provenance })
    this.segments = new MysqlSegments(transactions, preparation, provenance ? uuid : undefined)
    this.counters = new MysqlCounters(transactions, preparation)
    this.provenance = provenance ? new MysqlProvenance({ transactions, preparation, agreement }) : undefined
  }

  prepare(): Promise<void> {
    return this.#preparation.prepare()
  }

  inspect(): Promise<readonly Finding[]> {
    return this.#inspection.run()
  }

  async close(): Promise<void> {
    await this.#connections.close()
    this.#preparation.forget()
  }
}
