import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SequenceError } from '../../core/errors.ts'
import type { Driver, DriverDatabase, DriverStatement } from './driver.ts'
import { failureOf } from './failure.ts'
import { makeFolder } from './folder.ts'

export interface FileOptions {
  /** An absolute path. */
  readonly file: string
  readonly schema: 'auto' | 'manual'
  /** How long to wait for another connection's transaction. */
  readonly busyTimeoutMs: number
}

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
CREATE TABLE IF NOT EXISTS segments (
  app_tag TEXT PRIMARY KEY NOT NULL, max_id INTEGER NOT NULL, step INTEGER NOT NULL,
  update_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS counter (
  node_offset INTEGER NOT NULL, rule_name TEXT NOT NULL, app_name TEXT NOT NULL,
  counter INTEGER NOT NULL, update_time INTEGER NOT NULL, PRIMARY KEY (node_offset, rule_name, app_name));
CREATE TABLE IF NOT EXISTS seqsvr_leases (
  sequence TEXT NOT NULL, start_id INTEGER NOT NULL, end_id INTEGER NOT NULL,
  instance TEXT NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY (sequence, start_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seqsvr_leases_time ON seqsvr_leases (time_ms, instance);
CREATE TABLE IF NOT EXISTS seqsvr_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)`

/** The statement for a text, prepared once for each connection. Integers come as bigints. */
export type Prepare = (sql: string) => DriverStatement

interface Connection {
  readonly database: DriverDatabase
  /** Which file it has open, whatever lies at the path later. */
  readonly identity: string
  readonly prepare: Prepare
  hasTables: boolean
}

/** The database file: opens it, runs transactions on it, and opens what lies at its path anew after any failure. */
export class DatabaseFile {
  readonly #driver: Driver
  readonly #options: FileOptions
  #connection: Connection | undefined

  constructor(driver: Driver, options: FileOptions) {
    this.#driver = driver
    this.#options = options
  }

  /**
   * Runs `work` in one transaction, which blocks for its fsyncs. Throws a SequenceError, and then nothing is granted
   * (I2) and the connection is closed; the next call opens another, on whatever the path then holds.
   */
  transaction<T>(work: (prepare: Prepare) => T): T {
    try {
      const connection = this.#open()
      const { database, prepare } = connection
      // IMMEDIATE: what is read stays true until the commit, whichever process writes.
      database.exec('BEGIN IMMEDIATE')
      if (this.#options.schema === 'auto' && !connection.hasTables) database.exec(SCHEMA)
      connection.hasTables = true
      const result = work(prepare)
      database.exec('COMMIT')
      return result
    } catch (error) {
      this.#abandon()
      throw failureOf(error, this.#options.file)
    }
  }

  /** Frees the file. May be used again. */
  close(): void {
    this.#connection?.database.close()
    this.#connection = undefined
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
      this.#connection = { database, identity, prepare: preparing(database), hasTables: false }
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
  }
}

/** Prepares statements of one connection. */
export function preparing(database: DriverDatabase): Prepare {
  const prepared = new Map<string, DriverStatement>()
  return (sql) => {
    let statement = prepared.get(sql)
    if (statement === undefined) {
      statement = database.prepare(sql)
      statement.setReadBigInts(true)
      prepared.set(sql, statement)
    }
    return statement
  }
}

function identityOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}
