import { SequenceError } from '../../src/core/errors.ts'
import type { Lease } from '../../src/core/lease.ts'
import { coalesced, leasedBefore } from '../../src/store/provenance.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Coverage } from './coverage.ts'
import { emptyTables, greatestId, restored, TABLE_NAMES, type TableName, type Tables } from './tables.ts'

/** What may become of one transaction. */
export type Fate =
  | 'commit' // the usual course
  | 'drop before commit' // the connection is lost before COMMIT reaches the database
  | 'drop after commit' // COMMIT takes effect, its answer is lost
  | 'drop, then commit' // the connection is lost, and COMMIT takes effect later all the same
  | 'stall' // COMMIT takes effect long after the instance gave up
  | 'roll back' // the database refuses to commit
  | 'deadlock' // the database rolls back and says that another attempt may help

/** Deadline of a transaction with all its attempts, as the stores have one. */
const DEADLINE_MS = 300
const TRIP_MS_MAX = 20
/** Until when a COMMIT may take effect that its instance has given up: far longer than it waits. */
const STALL_MS_MAX = 2_000
const ATTEMPTS_MAX = 3

/** What is under way of one call. */
interface Call {
  /** The caller has given up: what has not sent its COMMIT yet never will. */
  abandoned: boolean
}

/**
 * A database as far as a store's transactions can tell: rows that are locked until the end of a transaction and change
 * at COMMIT, an auto-increment counter that no rollback turns back, answers that take time or never come.
 */
export class SimulatedDatabase {
  tables: Tables = emptyTables()
  fates: readonly Fate[] = ['commit']
  up = true
  /** Transactions under way, also those that nobody waits for any more. */
  running = 0
  /** Grants whose COMMIT took effect. */
  readonly committed = new WeakSet<object>()
  /** Told when the floor of a sequence is taken off the record by a COMMIT. */
  onLift: (sequence: string) => void = () => {}
  readonly clock: VirtualClock
  readonly random: () => number
  readonly coverage: Coverage
  /** Counts what ends all transactions: a crash, a restore. */
  epoch = 0
  locks = new Map<string, Promise<void>>()
  #saved: Tables | undefined

  constructor(clock: VirtualClock, random: () => number, coverage: Coverage) {
    this.clock = clock
    this.random = random
    this.coverage = coverage
  }

  /** Kills the database; transactions under way are rolled back. */
  crash(): void {
    this.up = false
    this.#endTransactions()
  }

  /** Starts it again. Before 8.0, MySQL made its counter anew from the greatest row. */
  start(recountsFromRows: boolean): void {
    if (this.up) return
    this.up = true
    if (recountsFromRows) this.tables.nextId = greatestId(this.tables) + 1n
  }

  /** Keeps the present state for `restore`, once the instances have agreed: a step is not changed while they run (I7). */
  backUp(): void {
    if (this.tables.agreement !== undefined) this.#saved = restored(this.tables, this.tables, TABLE_NAMES)
  }

  /** Puts tables of the backup back. False where there is none. */
  restore(names: readonly TableName[]): boolean {
    if (this.#saved === undefined) return false
    this.#endTransactions()
    this.tables = restored(this.tables, this.#saved, names)
    return true
  }

  /** A promoted replica that has the rows but not the counter. */
  loseCounter(): void {
    this.#endTransactions()
    this.tables.nextId = greatestId(this.tables) / 2n + 1n
  }

  /** Lowers the row of a sequence by hand, or makes one; false while a transaction has it locked. */
  setRow(name: string, maxId: bigint): boolean {
    if (this.locks.has(name)) return false
    const step = this.tables.segments.get(name)?.step ?? 5n
    this.tables.segments.set(name, { maxId, step })
    return true
  }

  /**
   * Runs a transaction and resolves with what `work` gives once the commit is acknowledged. Rejects with what `work` throws,
   * after a rollback, or with STORE_UNAVAILABLE: then nobody knows. After the deadline a late answer is thrown away (I2).
   */
  run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = { abandoned: false }
      const cancel = this.clock.after(DEADLINE_MS, () => {
        call.abandoned = true
        this.coverage.took('store: no answer by the deadline')
        reject(lost())
      })
      this.#attempts(work, call).then(
        (result) => {
          cancel()
          resolve(result)
        },
        (error: unknown) => {
          cancel()
          reject(error)
        },
      )
    })
  }

  /** Keeps a floor on record: the greatest one. */
  raiseFloor(tables: Tables, sequence: string, floor: bigint): void {
    if (floor > (tables.floors.get(sequence) ?? 0n)) tables.floors.set(sequence, floor)
  }

  async #attempts<T>(work: (transaction: Transaction) => Promise<T>, call: Call): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, call)
      } catch (error) {
        if (!(error instanceof Deadlock)) throw error
        if (attempt === ATTEMPTS_MAX) throw lost()
      }
    }
  }

  async #attempt<T>(work: (transaction: Transaction) => Promise<T>, call: Call): Promise<T> {
    this.running++
    const transaction = new Transaction(this, call)
    let isDetached = false
    try {
      transaction.begin()
      const result = await work(transaction)
      const fate = this.fates[Math.floor(this.random() * this.fates.length)] as Fate
      this.coverage.took(`store: ${fate}`)
      if (fate === 'drop before commit' || fate === 'roll back') throw lost()
      if (fate === 'deadlock') throw new Deadlock()
      await transaction.trip()
      if (fate === 'drop, then commit') {
        isDetached = true
        void this.#commitLate(transaction)
        throw lost()
      }
      if (fate === 'stall') await transaction.stall()
      transaction.commit()
      if (fate === 'drop after commit') throw lost()
      await transaction.answer()
      return result
    } finally {
      if (!isDetached) this.#end(transaction)
    }
  }

  async #commitLate(transaction: Transaction): Promise<void> {
    try {
      await transaction.stall()
      transaction.commit()
    } catch {
      // The database ended it first; nobody is there to be told.
    } finally {
      this.#end(transaction)
    }
  }

  #end(transaction: Transaction): void {
    transaction.unlock()
    this.running--
  }

  #endTransactions(): void {
    this.epoch++
    this.locks = new Map()
  }
}

/** What a store's work may do between START TRANSACTION and COMMIT. */
export class Transaction {
  readonly #database: SimulatedDatabase
  readonly #call: Call
  readonly #epoch: number
  readonly #writes: ((tables: Tables) => void)[] = []
  readonly #locks: string[] = []
  #unlock: (() => void) | undefined
  readonly #ended = new Promise<void>((resolve) => {
    this.#unlock = resolve
  })

  constructor(database: SimulatedDatabase, call: Call) {
    this.#database = database
    this.#call = call
    this.#epoch = database.epoch
  }

  /** What is committed. A transaction here never reads what it wrote itself. */
  get tables(): Tables {
    return this.#database.tables
  }

  begin(): void {
    this.#check()
  }

  /** One message to the database. */
  async trip(): Promise<void> {
    await this.#pause(TRIP_MS_MAX)
    if (this.#call.abandoned) throw lost()
  }

  /** The database's last message, which an instance that gave up does not hear. */
  answer(): Promise<void> {
    return this.#pause(TRIP_MS_MAX)
  }

  stall(): Promise<void> {
    return this.#pause(STALL_MS_MAX)
  }

  /** Locks a row, also one that is to be made. Waits for the transaction that has it. */
  async lock(row: string): Promise<void> {
    const database = this.#database
    for (let ended = database.locks.get(row); ended !== undefined; ended = database.locks.get(row)) {
      database.coverage.took('store: wait for a lock')
      await ended
      this.#check()
      if (this.#call.abandoned) throw lost()
    }
    database.locks.set(row, this.#ended)
    this.#locks.push(row)
  }

  /** Has `effect` change the tables at COMMIT. */
  write(effect: (tables: Tables) => void): void {
    this.#writes.push(effect)
  }

  /** Takes note of what is granted by the COMMIT. */
  grant(...granted: readonly object[]): void {
    this.write(() => {
      for (const one of granted) this.#database.committed.add(one)
    })
  }

  /** Records leases, as the stores do: REGRESSED where one of these starts is on record already. */
  record(sequence: string, leases: readonly Lease[]): void {
    const records = coalesced(leases)
    const known = this.tables.leases.get(sequence) ?? []
    if (records.some(({ start }) => known.some((lease) => lease.start === start)))
      throw leasedBefore(sequence, records)
    this.write((tables) => {
      const all = [...(tables.leases.get(sequence) ?? []), ...records]
      all.sort((a, b) => (a.start < b.start ? -1 : 1))
      tables.leases.set(sequence, all)
    })
  }

  raiseFloor(sequence: string, floor: bigint): void {
    this.write((tables) => this.#database.raiseFloor(tables, sequence, floor))
  }

  liftFloor(sequence: string): void {
    this.write((tables) => {
      tables.floors.delete(sequence)
      this.#database.onLift(sequence)
    })
  }

  commit(): void {
    for (const write of this.#writes) write(this.tables)
  }

  unlock(): void {
    const { locks } = this.#database
    for (const row of this.#locks) if (locks.get(row) === this.#ended) locks.delete(row)
    this.#unlock?.()
  }

  async #pause(longestMs: number): Promise<void> {
    await this.#database.clock.pause(this.#database.random() * longestMs)
    this.#check()
  }

  #check(): void {
    if (!this.#database.up || this.#epoch !== this.#database.epoch) throw lost()
  }
}

class Deadlock extends Error {}

function lost(): SequenceError {
  return new SequenceError('STORE_UNAVAILABLE', 'connection lost')
}
