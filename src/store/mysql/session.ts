import { connect, type Socket } from 'node:net'
import { type Connection, createConnection, type ResultSetHeader, type RowDataPacket } from 'mysql2'
import { endsConnection } from './errors.ts'

/** Where the server is and who asks. */
export interface MysqlAddress {
  readonly host: string
  readonly port: number
  /** A Unix socket, instead of host and port. */
  readonly socketPath?: string | undefined
  readonly user: string
  readonly password: string
  readonly database: string
  /** `true` checks the server's certificate against the system's authorities, `ca` (PEM) against these. */
  readonly tls: boolean | { readonly ca: string }
}

export type Row = RowDataPacket
type SqlValue = string | number | bigint

/**
 * For the server's side of every connection. It ends one that says nothing for 5 s, so that an instance frozen
 * inside a transaction holds its locks no longer than that. A lock waits 2 s, so that the transaction can be
 * tried again inside its own deadline. Strict, since a max_id that the server cuts to its column's greatest value
 * would be leased again and again (I1). With backslashes that escape, as the driver writes them: otherwise a quote in a
 * name would end its literal.
 */
const SET_UP = `
SET SESSION wait_timeout = 5, innodb_lock_wait_timeout = 2,
  sql_mode = CONCAT(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',STRICT_ALL_TABLES')`

/** Whatever the server's default: a sequence that is made again must not miss the mark that its retirement leaves (I1). */
const SET_ISOLATION = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'

/** How long a server that gets our farewell may take to close the connection. */
const FAREWELL_MS_MAX = 1_000

/** First keep-alive probe after this much silence, so that firewalls remember the connection. */
const KEEP_ALIVE_MS = 5_000

/**
 * One connection to the server. It runs one statement at a time, and is lost for good with the first error that
 * is not an answer to a statement. It owns its socket, since the driver's `destroy` leaves a dead peer's open.
 */
export class Session {
  readonly #socket: Socket
  readonly #connection: Connection
  /** Fails what is under way. */
  #fail: ((error: unknown) => void) | undefined
  #lost: unknown

  /** Begins to connect; `open` tells when that is done. */
  constructor(address: MysqlAddress) {
    const { host, port, socketPath, user, password, database, tls } = address
    const socket = connect(
      socketPath === undefined
        ? { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
        : { path: socketPath },
    )
    this.#socket = socket
    this.#connection = createConnection({
      stream: () => socket,
      host,
      user,
      password,
      database,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      bigNumberStrings: true,
      trace: false,
      // The caller has a deadline for all of it.
      connectTimeout: 0,
      ...(tls !== false && { ssl: { verifyIdentity: true, ...(tls !== true && { ca: tls.ca }) } }),
    })
    // Without a listener a connection that breaks while idle would end the process.
    this.#connection.on('error', (error) => this.destroy(error))
  }

  /** Whether it is of no more use. */
  get lost(): boolean {
    return this.#lost !== undefined
  }

  /** Resolves when statements can be run. */
  async open(): Promise<void> {
    await this.#await<void>((done) => this.#connection.connect((error) => done(error)))
    await this.run(SET_UP)
    await this.run(SET_ISOLATION)
  }

  /** The rows of a SELECT. BIGINT values are decimal strings. */
  async rows(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#await((done) => this.#connection.query<Row[]>(sql, [...values], done))
  }

  /** Runs any other statement. */
  async run(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    return this.#await((done) => this.#connection.query<ResultSetHeader>(sql, [...values], done))
  }

  /** Fails what is under way with `error` and ends the connection at once; the server rolls back. */
  destroy(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#fail?.(error)
    this.#connection.destroy()
    this.#socket.destroy()
  }

  /** Takes leave of the server, so that it does not log an aborted connection. Never rejects. */
  async quit(): Promise<void> {
    if (this.lost || this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), FAREWELL_MS_MAX)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#connection.end()
    })
  }

  #await<T>(start: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    return new Promise<T>((resolve, reject) => {
      this.#fail = reject
      start((error, result) => {
        this.#fail = undefined
        if (!error) return resolve(result as T)
        reject(error)
        if (endsConnection(error)) this.destroy(error)
      })
    })
  }
}
