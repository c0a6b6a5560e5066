import { SequenceError } from '../../src/core/errors.ts'
import type { Lease, LeaseSource } from '../../src/core/lease.ts'
import type { GeneratorAgreement } from '../../src/core/store.ts'
import { advancedTo, leaseCount, leasesOf, refusalFloor, regressed } from '../../src/store/generator.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'

/** What may become of one transaction. */
export type Fate =
  | 'commit' // the usual course
  | 'drop-before-commit' // the connection is lost before COMMIT reaches the database
  | 'drop-after-commit' // COMMIT takes effect, its answer is lost
  | 'stall' // COMMIT takes effect long after the instance gave up

interface Tables {
  /** generator_table: one row an instance. */
  readonly rows: Map<string, bigint>
  floor: bigint
  /** The auto-increment counter: not part of any transaction. */
  next: bigint
}

const DEADLINE_MS = 300

/**
 * A database with one generator_table, as far as a lease can tell: an auto-increment counter that no rollback
 * turns back, rows that change at COMMIT, answers that take time or never come.
 */
export class SimulatedDatabase {
  readonly #clock: VirtualClock
  readonly #random: () => number
  readonly #agreement: GeneratorAgreement
  #tables: Tables = { rows: new Map(), floor: 0n, next: 1n }
  /** Counts crashes: a transaction that began before one is lost. */
  #epoch = 0
  #up = true
  #greatestEver = 0n
  #saved: Tables = this.#copy()
  /** Rows that a transaction in flight has replaced: a second one on the same row must wait. */
  #locked = new Set<string>()
  fates: readonly Fate[] = ['commit']

  constructor(clock: VirtualClock, random: () => number, agreement: GeneratorAgreement) {
    this.#clock = clock
    this.#random = random
    this.#agreement = agreement
  }

  get up(): boolean {
    return this.#up
  }

  /** Whether a refusal is recorded that only an operator's advance lifts. */
  get refusing(): boolean {
    return this.#tables.floor > 0n
  }

  /** Kills the database; transactions in flight are rolled back. */
  crash(): void {
    this.#up = false
    this.#epoch++
  }

  /** Starts it again. Before 8.0, MySQL made its counter anew from the greatest row. */
  start(recountsFromRows: boolean): void {
    if (this.#up) return
    this.#up = true
    if (recountsFromRows) this.#tables.next = this.#greatest() + 1n
  }

  /** Keeps the present state as the backup that `restore` puts back. */
  backUp(): void {
    this.#saved = this.#copy()
  }

  restore(): void {
    this.#epoch++
    this.#tables = { ...this.#saved, rows: new Map(this.#saved.rows) }
  }

  /** A promoted replica that holds the rows but not the counter. */
  loseCounter(): void {
    this.#epoch++
    this.#tables.next = this.#greatest() / 2n + 1n
  }

  /** An operator who knows how much was lost advances the store past every lease it ever gave. */
  advance(): void {
    this.#greatestEver = advancedTo(this.#greatestEver, this.#tables.floor, 1n, this.#agreement)
    this.#tables.rows.set('operator', this.#greatestEver)
    this.#tables.next = this.#greatestEver + 1n
    this.#tables.floor = 0n
  }

  /** What one instance leases from, named by its uuid. */
  source(uuid: string): LeaseSource {
    return {
      lease: (ids, seenEnd) => this.#withinDeadline(this.#lease(uuid, ids, seenEnd)),
    }
  }

  /** The same, but broken as I2 forbids: it answers with the leases before their commit is known. */
  brokenSource(uuid: string): LeaseSource {
    return {
      lease: (ids, seenEnd) =>
        new Promise((resolve, reject) => {
          this.#lease(uuid, ids, seenEnd, resolve).then(resolve, reject)
        }),
    }
  }

  async #lease(
    uuid: string,
    ids: number,
    seenEnd: bigint,
    early?: (leases: Lease[]) => void,
  ): Promise<Lease[]> {
    const epoch = this.#epoch
    await this.#trip(epoch)
    const greatest = this.#greatest()
    const floor = refusalFloor({ maxId: greatest, floor: this.#tables.floor }, seenEnd, this.#agreement)
    if (floor !== undefined) {
      await this.#trip(epoch)
      this.#record(floor)
      throw regressed(greatest, floor, this.#agreement)
    }
    if (this.#locked.has(uuid)) throw new SequenceError('STORE_UNAVAILABLE', 'lock wait timeout')
    this.#locked.add(uuid)
    try {
      return await this.#replace(uuid, ids, greatest, epoch, early)
    } finally {
      this.#locked.delete(uuid)
    }
  }

  async #replace(
    uuid: string,
    ids: number,
    greatest: bigint,
    epoch: number,
    early?: (leases: Lease[]) => void,
  ): Promise<Lease[]> {
    const ns: bigint[] = []
    for (let k = leaseCount(ids, this.#agreement.step); k > 0; k--) {
      await this.#trip(epoch)
      const n = this.#tables.next++
      if (n > this.#greatestEver) this.#greatestEver = n
      ns.push(n)
    }
    const leases = this.#leasesOf(ns, greatest)
    early?.(leases)
    const fate = this.fates[Math.floor(this.#random() * this.fates.length)] as Fate
    if (fate === 'drop-before-commit') throw lost()
    await this.#trip(epoch)
    if (fate === 'stall') {
      await this.#clock.pause(this.#random() * 20 * DEADLINE_MS)
      if (epoch !== this.#epoch || !this.#up) throw lost()
    }
    this.#tables.rows.set(uuid, ns.at(-1) as bigint)
    if (fate === 'drop-after-commit') throw lost()
    await this.#trip(epoch)
    return leases
  }

  #leasesOf(ns: readonly bigint[], greatest: bigint): Lease[] {
    try {
      return leasesOf(ns, greatest, this.#agreement)
    } catch (error) {
      if (error instanceof SequenceError && error.floor !== undefined) this.#record(error.floor)
      throw error
    }
  }

  #record(floor: bigint): void {
    if (floor > this.#tables.floor) this.#tables.floor = floor
  }

  /** One message there or back. */
  async #trip(epoch: number): Promise<void> {
    await this.#clock.pause(this.#random() * 20)
    if (!this.#up || epoch !== this.#epoch) throw lost()
  }

  /** As the stores do: after the deadline the outcome is unknown, and a late answer is thrown away (I2). */
  #withinDeadline<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(DEADLINE_MS, () => reject(lost()))
      answer.then(resolve, reject).finally(cancel)
    })
  }

  #greatest(): bigint {
    let greatest = 0n
    for (const id of this.#tables.rows.values()) if (id > greatest) greatest = id
    return greatest
  }

  #copy(): Tables {
    return { ...this.#tables, rows: new Map(this.#tables.rows) }
  }
}

function lost(): SequenceError {
  return new SequenceError('STORE_UNAVAILABLE', 'connection lost')
}
