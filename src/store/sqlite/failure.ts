import { type ErrorCode, SequenceError } from '../../core/errors.ts'

interface Failure {
  readonly code: ErrorCode
  /** Follows the name of the file. */
  readonly what: string
}

const LOCKED: Failure = {
  code: 'STORE_UNAVAILABLE',
  what: 'is locked: end the program that holds a transaction open on it',
}
const FULL: Failure = { code: 'STORE_UNAVAILABLE', what: 'cannot grow: make room on its disk' }
const BROKEN_IO: Failure = { code: 'STORE_UNAVAILABLE', what: 'cannot be read or written now' }
const FORBIDDEN: Failure = {
  code: 'STORE_MISCONFIGURED',
  what: 'cannot be opened for writing: let this user write to it and to its folder, or choose another sqlite.file',
}
const DAMAGED: Failure = {
  code: 'STORE_MISCONFIGURED',
  what: 'is damaged: restore it from a backup and advance the generator past every id in use',
}
const NOT_A_DATABASE: Failure = {
  code: 'STORE_MISCONFIGURED',
  what: 'is not a SQLite database: choose another sqlite.file, or remove this one if nothing needs it',
}
const WRONG_TABLES: Failure = {
  code: 'STORE_MISCONFIGURED',
  what: 'does not have the tables of this server: set schema to auto, or make them by hand (all but seqsvr_leases with provenance.days 0)',
}

/** By SQLite's primary result code, https://sqlite.org/rescode.html. */
const BY_RESULT_CODE: ReadonlyMap<number, Failure> = new Map([
  [1 /* SQLITE_ERROR */, WRONG_TABLES],
  [3 /* SQLITE_PERM */, FORBIDDEN],
  [5 /* SQLITE_BUSY */, LOCKED],
  [6 /* SQLITE_LOCKED */, LOCKED],
  [8 /* SQLITE_READONLY */, FORBIDDEN],
  [11 /* SQLITE_CORRUPT */, DAMAGED],
  [13 /* SQLITE_FULL */, FULL],
  [14 /* SQLITE_CANTOPEN */, FORBIDDEN],
  [19 /* SQLITE_CONSTRAINT */, WRONG_TABLES],
  [20 /* SQLITE_MISMATCH */, WRONG_TABLES],
  [23 /* SQLITE_AUTH */, FORBIDDEN],
  [26 /* SQLITE_NOTADB */, NOT_A_DATABASE],
])

/** SQLITE_READONLY_DBMOVED: the file was replaced during a transaction. The next lease opens the new one. */
const MOVED = 1032

const BY_SYSTEM_ERROR: ReadonlyMap<string, Failure> = new Map([
  ['EACCES', FORBIDDEN],
  ['EEXIST', FORBIDDEN],
  ['EISDIR', FORBIDDEN],
  ['ELOOP', FORBIDDEN],
  ['ENAMETOOLONG', FORBIDDEN],
  ['ENOTDIR', FORBIDDEN],
  ['EPERM', FORBIDDEN],
  ['EROFS', FORBIDDEN],
  ['EDQUOT', FULL],
  ['ENOSPC', FULL],
])

/** What an error of SQLite or of the file system means for the store in `file`. Throws any other on. */
export function failureOf(error: unknown, file: string): SequenceError {
  if (error instanceof SequenceError) return error
  const failure = classify(error as SystemOrSqliteError)
  if (failure === undefined) throw error
  return new SequenceError(failure.code, `${file} ${failure.what} (${(error as Error).message})`, {
    cause: error,
  })
}

interface SystemOrSqliteError extends Error {
  readonly errcode?: unknown
  readonly syscall?: unknown
  readonly code?: unknown
}

function classify({ errcode, syscall, code, message }: SystemOrSqliteError): Failure | undefined {
  if (typeof errcode === 'number')
    return errcode === MOVED ? BROKEN_IO : (BY_RESULT_CODE.get(errcode & 0xff) ?? BROKEN_IO)
  // The driver of older Nodes keeps the result code of some errors to itself.
  if (code === 'ERR_SQLITE_ERROR') return /malformed/.test(message) ? DAMAGED : BROKEN_IO
  return typeof syscall === 'string' ? (BY_SYSTEM_ERROR.get(String(code)) ?? BROKEN_IO) : undefined
}
