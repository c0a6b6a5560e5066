import { describe, expect, it } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import { failureOf } from '../../src/store/sqlite/failure.ts'

const sqliteError = (errcode: number, message: string) =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })
const systemError = (code: string) =>
  Object.assign(new Error(`${code}: said the system`), { code, syscall: 'open' })

describe('failureOf', () => {
  it.each([
    ['database disk image is malformed', 'STORE_MISCONFIGURED', 'is damaged'],
    ['disk I/O error', 'STORE_UNAVAILABLE', 'cannot be read or written now'],
  ])('an error of SQLite without its result code: %s', (message, code, what) => {
    const error = failureOf(Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR' }), 'seq.sqlite')
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(`seq.sqlite ${what}`)])
  })

  it.each([
    ['SQLITE_FULL', 13, 'STORE_UNAVAILABLE', 'cannot grow: make room on its disk'],
    ['SQLITE_BUSY', 5, 'STORE_UNAVAILABLE', 'is locked'],
    ['SQLITE_BUSY_SNAPSHOT', 517, 'STORE_UNAVAILABLE', 'is locked'],
    ['SQLITE_IOERR_FSYNC', 1034, 'STORE_UNAVAILABLE', 'cannot be read or written now'],
    ['SQLITE_NOMEM', 7, 'STORE_UNAVAILABLE', 'cannot be read or written now'],
    ['SQLITE_READONLY', 8, 'STORE_MISCONFIGURED', 'cannot be opened for writing'],
    ['SQLITE_READONLY_DBMOVED', 1032, 'STORE_UNAVAILABLE', 'cannot be read or written now'],
    ['SQLITE_CANTOPEN', 14, 'STORE_MISCONFIGURED', 'cannot be opened for writing'],
    ['SQLITE_CORRUPT', 11, 'STORE_MISCONFIGURED', 'is damaged'],
    ['SQLITE_NOTADB', 26, 'STORE_MISCONFIGURED', 'is not a SQLite database'],
    ['SQLITE_ERROR', 1, 'STORE_MISCONFIGURED', 'does not have the tables'],
  ])('%s', (name, errcode, code, what) => {
    const error = failureOf(sqliteError(errcode, name), 'seq.sqlite')
    expect(error.code).toBe(code)
    expect(error.message.startsWith(`seq.sqlite ${what}`)).toBe(true)
    expect(error.message.endsWith(` (${name})`)).toBe(true)
  })

  it.each([
    ['ENOSPC', 'STORE_UNAVAILABLE', 'cannot grow'],
    ['EIO', 'STORE_UNAVAILABLE', 'cannot be read or written now'],
    ['EMFILE', 'STORE_UNAVAILABLE', 'cannot be read or written now'],
    ['EACCES', 'STORE_MISCONFIGURED', 'cannot be opened for writing'],
    ['EROFS', 'STORE_MISCONFIGURED', 'cannot be opened for writing'],
  ])('%s', (name, code, what) => {
    const error = failureOf(systemError(name), 'seq.sqlite')
    expect(error.code).toBe(code)
    expect(error.message.startsWith(`seq.sqlite ${what}`)).toBe(true)
  })

  it('leaves an operating error as it is, and throws a mistake of this program on', () => {
    const operating = new SequenceError('EXHAUSTED', 'no ids')
    expect(failureOf(operating, 'seq.sqlite')).toBe(operating)
    expect(() => failureOf(new TypeError('not a function'), 'seq.sqlite')).toThrow(TypeError)
  })
})
