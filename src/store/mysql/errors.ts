import { type ErrorCode, SequenceError } from '../../core/errors.ts'

/** What the driver adds to errors: `errno` of the server, `code` of the server, the driver or the system. */
interface DriverError extends Error {
  readonly code: string
  readonly errno?: number
  readonly sqlState?: string
}

/**
 * What a transaction meets when others change the same rows. 1213 has rolled it back, as 1020 has, which MariaDB gives
 * with innodb_snapshot_isolation; 1205 only its statement.
 */
const LOCK_ERRORS = new Set([1020, 1205, 1213])

/** Read only: a primary that was demoted. Its connections must not be used again. */
const READ_ONLY_ERRORS = new Set([1290, 1792, 1836])

/** The auto-increment column has no greater value: of MySQL, of MariaDB, and of either in strict mode. */
const COLUMN_FULL_ERRORS = new Set([167, 1264, 1467])

const DUPLICATE_KEY = 1062

/** Too long for the column; not in its character set, when written and when compared. */
const TEXT_ERRORS = new Set([1406, 1366, 1267, 1271, 3988])

/** The server ends the connection with these: shutdown, KILL, idle too long. */
const FAREWELLS = new Set([1053, 1927, 4031])

/** May not create tables. */
const DDL_DENIED_ERRORS = new Set([1044, 1142, 1227])

export const TABLE_MISSING_ADVICE =
  'a table is missing. If ids were leased from this database before, restore it from a backup. If it is new, ' +
  'run `seqsvr init` with a user who may create tables, or import schema.sql'

/** What a person must put right before asking again can help. */
const MISCONFIGURED = new Map<number | string, string>([
  [1044, 'this user may not use the database: GRANT SELECT, INSERT, UPDATE, DELETE on it'],
  [1045, 'wrong user or password: check mysql.user and mysql.password'],
  [1049, 'there is no such database: CREATE DATABASE, or check mysql.database'],
  [1130, 'the server accepts no connections from this host: check the host of the user in CREATE USER'],
  [1142, 'this user lacks rights on a table: GRANT SELECT, INSERT, UPDATE, DELETE on the database'],
  [1146, TABLE_MISSING_ADVICE],
  [1251, 'the server wants a way to log in that seqsvr does not know: change the plugin of the user'],
  [1698, 'wrong user or password, or a user who may log in on a Unix socket only: check mysql.user'],
  [3159, 'the server wants TLS: set mysql.tls'],
  ['AUTH_SWITCH_PLUGIN_ERROR', 'the server wants a way to log in that seqsvr does not know'],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'the server has no TLS: enable it there, or remove mysql.tls'],
  [
    'HANDSHAKE_SSL_ERROR',
    'TLS failed: check mysql.tls, the certificate of the server and the name it is for',
  ],
])

export function isLockError(error: unknown): boolean {
  return isServerError(error) && LOCK_ERRORS.has(error.errno)
}

export function isColumnFullError(error: unknown): boolean {
  return isServerError(error) && COLUMN_FULL_ERRORS.has(error.errno)
}

export function isDuplicateKeyError(error: unknown): boolean {
  return isServerError(error) && error.errno === DUPLICATE_KEY
}

/** Whether a text does not fit into its column: too long, or of characters that its character set does not have. */
export function isTextError(error: unknown): boolean {
  return isServerError(error) && TEXT_ERRORS.has(error.errno)
}

export function isDdlDenied(error: unknown): boolean {
  return isServerError(error) && DDL_DENIED_ERRORS.has(error.errno)
}

/** Whether the connection is of no more use after `error`: all but the usual answers of a writable server. */
export function endsConnection(error: unknown): boolean {
  return !isServerError(error) || FAREWELLS.has(error.errno) || READ_ONLY_ERRORS.has(error.errno)
}

/** Whether the server, rather than the network or the driver, said it: the fate of the statement is known. */
function isServerError(error: unknown): error is DriverError & { errno: number } {
  return isDriverError(error) && error.sqlState !== undefined && error.errno !== undefined
}

function isDriverError(error: unknown): error is DriverError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/**
 * The operating error behind what the driver threw: STORE_MISCONFIGURED where a person must act, or
 * STORE_UNAVAILABLE where asking again may help. A `SequenceError` stays as it is. Anything else is a fault of the
 * program and is thrown.
 */
export function toSequenceError(error: unknown, description: string): SequenceError {
  if (error instanceof SequenceError) return error
  if (!isDriverError(error)) throw error
  const { errno, code } = error
  const name = errno !== undefined && errno > 0 ? errno : error.message.includes(code) ? '' : code
  const reason = `${name} ${error.message}`.trim()
  const advice = (isServerError(error) && MISCONFIGURED.get(error.errno)) || MISCONFIGURED.get(code)
  if (advice !== undefined && !isNetworkErrorInTls(error))
    return because('STORE_MISCONFIGURED', `${description}: ${advice} (${reason})`, error)
  if (isServerError(error) && READ_ONLY_ERRORS.has(error.errno))
    return because('STORE_UNAVAILABLE', `${description} is read only; a primary is needed (${reason})`, error)
  return because('STORE_UNAVAILABLE', `${description} is not available (${reason})`, error)
}

/** A connection that breaks during the TLS handshake gets the code of a wrong certificate from the driver. */
function isNetworkErrorInTls(error: DriverError): boolean {
  return /disconnected|ECONNRESET|EPIPE/.test(error.message)
}

function because(code: ErrorCode, message: string, cause: unknown): SequenceError {
  return new SequenceError(code, message, { cause })
}
