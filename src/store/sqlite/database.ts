import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SequenceError } from '../../core/errors.ts'
import type { Lease } from '../../core/lease.ts'
import type { GeneratorAgreement } from '../../core/store.ts'
import { checkAgreement, checkFloor, isPastFloor, leaseCount, leasesOf } from '../generator.ts'
import type { Driver, DriverDatabase, DriverStatement } from './driver.ts'
import { failureOf } from './failure.ts'
import { makeFolder } from './folder.ts'

export interface DatabaseOptions {
  /** An absolute path. */
  readonly file: string
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  readonly uuid: string
  /** How long to wait for another connection's transaction. */
  readonly busyTimeoutMs: number
}

/** The greatest integer of SQLite: the last AUTOINCREMENT id, and the greatest floor that can be recorded. */
const INTEGER_MAX = 2n ** 63n - 1n

/*
 * A lease must survive a power cut (I2). In rollback mode a commit is done when its journal is gone. Mode DELETE unlinks
 * the journal, which a power cut can undo, with the commit, unless the folder is synced too: synchronous=FULL does not.
 * Mode TRUNCATE truncates and, with FULL or more, syncs the journal itself. EXTRA costs nothing on top of FULL here and
 * syncs the folder as well, should a journal ever be unlinked. fullfsync is for macOS, whose fsync does not reach the disk.
 */
const DURABILITY = 'PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON; PRAGMA locking_mode = NORMAL'
const JOURNAL_MODE = 'PRAGMA journal_mode = TRUNCATE'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS generator_table (id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS seqsvr_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)`

const REPLACE = 'REPLACE INTO generator_table (uuid) VALUES (?)'

const GREATEST = `
SELECT maxId, max(maxId, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'generator_table'), 0)) AS lastId
FROM (SELECT coalesce(max(id), 0) AS maxId FROM generator_table)`

const AGREE =
  "INSERT OR IGNORE INTO seqsvr_meta (name, value) VALUES ('generator.step', ?), ('generator.first', ?)"

const META = "SELECT name, value FROM seqsvr_meta WHERE name LIKE 'generator.%'"

const RAISE_FLOOR = `
INSERT INTO seqsvr_meta (name, value) VALUES ('generator.floor', ?)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`

interface Connection {
  readonly database: DriverDatabase
  /** Which file it has open, whatever lies at the path later. */
  readonly identity: string
  readonly replace: DriverStatement
  readonly greatest: DriverStatement
  readonly agree: DriverStatement
  readonly meta: DriverStatement
  readonly raiseFloor: DriverStatement
}

/** What the store has in one transaction. */
interface State {
  /** The greatest id in the table, 0 when it is empty. */
  readonly maxId: bigint
  /** The greatest id that was ever in the table: the next one is greater. */
  readonly lastId: bigint
  readonly floor: bigint
}

/**
 * The store's synchronous part: each call is one transaction, which blocks for its fsyncs. Throws a SequenceError, and
 * then nothing is granted (I2) and the connection is closed; the next call opens another, on whatever the path then holds.
 */
export class Database {
  readonly #driver: Driver
  readonly #options: DatabaseOptions
  #connection: Connection | undefined

  constructor(driver: Driver, options: DatabaseOptions) {
    this.#driver = driver
    this.#options = options
  }

  /** As `Store.prepare`. */
  prepare(): void {
    this.#transaction(() => {})
  }

  /** As `LeaseSource.lease`, of the generator. */
  lease(ids: number): Lease[] {
    const { agreement, uuid } = this.#options
    return this.#transaction(({ replace }, { maxId, lastId, floor }) => {
      checkFloor(maxId, floor, agreement)
      const wanted = BigInt(leaseCount(ids, agreement.step))
      // Asked for an id past the last one, SQLite would answer SQLITE_FULL, as when the disk is full.
      const count = wanted < INTEGER_MAX - lastId ? wanted : INTEGER_MAX - lastId
      const ns: bigint[] = []
      while (ns.length < count) ns.push(BigInt(replace.run(uuid).lastInsertRowid))
      return leasesOf(ns, maxId, agreement)
    })
  }

  /** As `LeaseSource.refuse`, of the generator. */
  refuse(floor: bigint): void {
    // Leases start whole steps apart, so that none starts between the greatest floor and the end of the id space.
    const recorded = floor < INTEGER_MAX ? floor : INTEGER_MAX
    this.#transaction(({ raiseFloor }, { maxId }) => {
      if (!isPastFloor(maxId, recorded, this.#options.agreement)) raiseFloor.run(recorded)
    })
  }

  /** Frees the file. May be used again. */
  close(): void {
    this.#connection?.database.close()
    this.#connection = undefined
  }

  /** Runs `work` once the instances agree (I7), and commits. */
  #transaction<T>(work: (connection: Connection, state: State) => T): T {
    try {
      const connection = this.#open()
      // IMMEDIATE: what is read stays true until the commit, whichever process writes.
      connection.database.exec('BEGIN IMMEDIATE')
      const result = work(connection, this.#agreedState(connection))
      connection.database.exec('COMMIT')
      return result
    } catch (error) {
      this.#abandon()
      throw failureOf(error, this.#options.file)
    }
  }

  #abandon(): void {
    try {
      // Closing is not enough: SQLite keeps the transaction, and its lock, until every statement is collected.
      this.#connection?.database.exec('ROLLBACK')
    } catch {
      // There was no transaction, or SQLite has rolled it back by itself.
    }
    this.close()
  }

  #agreedState({ greatest, agree, meta }: Connection): State {
    const { agreement } = this.#options
    const read = () =>
      new Map((meta.all() as { name: string; value: bigint }[]).map(({ name, value }) => [name, value]))
    let rows = read()
    if (!rows.has('generator.step') || !rows.has('generator.first')) {
      agree.run(agreement.step, agreement.first)
      rows = read()
    }
    checkAgreement(
      { step: rows.get('generator.step') as bigint, first: rows.get('generator.first') as bigint },
      agreement,
    )
    const { maxId, lastId } = greatest.get() as { maxId: bigint; lastId: bigint }
    return { maxId, lastId, floor: rows.get('generator.floor') ?? 0n }
  }

  /** The connection to the file that is at the path now: a deleted or replaced one must be seen for I3 to hold. */
  #open(): Connection {
    const { file } = this.#options
    if (this.#connection !== undefined && this.#connection.identity === identityOf(file))
      return this.#connection
    this.close()

    makeFolder(dirname(file))
    const identityBefore = identityOf(file)
    const database = new this.#driver(file)
    try {
      const identity = identityOf(file)
      if (identity === undefined || (identityBefore ?? identity) !== identity)
        throw new SequenceError('STORE_UNAVAILABLE', `${file} was replaced while it was opened; trying again`)
      this.#setUp(database)
      const statement = (sql: string): DriverStatement => {
        const prepared = database.prepare(sql)
        prepared.setReadBigInts(true)
        return prepared
      }
      this.#connection = {
        database,
        identity,
        replace: statement(REPLACE),
        greatest: statement(GREATEST),
        agree: statement(AGREE),
        meta: statement(META),
        raiseFloor: statement(RAISE_FLOOR),
      }
      return this.#connection
    } catch (error) {
      database.close()
      throw error
    }
  }

  #setUp(database: DriverDatabase): void {
    database.exec(`PRAGMA busy_timeout = ${this.#options.busyTimeoutMs}; ${DURABILITY}`)
    const mode = database.prepare(JOURNAL_MODE).get() as { journal_mode: string }
    if (mode.journal_mode !== 'truncate')
      throw new SequenceError(
        'STORE_UNAVAILABLE',
        `${this.#options.file} stays in journal mode ${mode.journal_mode}: end the program that uses it in that mode`,
      )
    if (this.#options.schema === 'auto') database.exec(SCHEMA)
  }
}

function identityOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}
