import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Sequence } from '../../src/core/sequence.ts'
import { type DriverDatabase, loadDriver } from '../../src/store/sqlite/driver.ts'
import type { SqliteStoreOptions } from '../../src/store/sqlite/store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { describeStoreContract, errorOf, expectRising } from './contract.ts'
import { openSqlite } from './sqlite-fixture.ts'

// The same driver as the store's: two copies of SQLite in one process would not see each other's locks.
const Driver = await loadDriver()

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
})

const path = (name: string) => join(folder, name)
const open = (options: Partial<SqliteStoreOptions> = {}) => openSqlite(path('seqsvr.sqlite'), options)

function openDatabase(file = path('seqsvr.sqlite')): DriverDatabase {
  const database = new Driver(file)
  onTestFinished(() => database.close())
  return database
}

describeStoreContract('SQLite', async (agreement) => {
  const file = `${await temporaryFolder()}/seqsvr.sqlite`
  return {
    store: openSqlite(file, { agreement }),
    another: async (other = agreement) => openSqlite(file, { agreement: other }),
    async setGreatestLeaseId(n) {
      const database = new Driver(file)
      database.exec(`INSERT INTO generator_table (id, uuid) VALUES (${n}, 'operator ${n}')`)
      database.close()
    },
    // Stores and folder go with the test.
    close: async () => {},
  }
})

describe('the file', () => {
  it('is made, with its folder', async () => {
    const file = path('a/b/c.sqlite')
    const store = open({ file })
    expect(store.description).toBe(`SQLite in ${file}`)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    expect(existsSync(file)).toBe(true)
  })

  it('has the tables that are documented, which never use an id again', async () => {
    await open().prepare()
    const tables = openDatabase().prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name",
    )
    expect(tables.all().map((row) => ({ ...(row as object) }))).toEqual([
      {
        name: 'counter',
        sql: expect.stringContaining('PRIMARY KEY (node_offset, rule_name, app_name)'),
      },
      {
        name: 'generator_table',
        sql: 'CREATE TABLE generator_table (id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE)',
      },
      {
        name: 'segments',
        sql: expect.stringContaining(
          'app_tag TEXT PRIMARY KEY NOT NULL, max_id INTEGER NOT NULL, step INTEGER NOT NULL',
        ),
      },
      {
        name: 'seqsvr_leases',
        sql: expect.stringContaining('PRIMARY KEY (sequence, start_id)'),
      },
      {
        name: 'seqsvr_meta',
        sql: 'CREATE TABLE seqsvr_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)',
      },
      { name: 'sqlite_sequence', sql: 'CREATE TABLE sqlite_sequence(name,seq)' },
    ])
  })

  it('I2 is left with a truncated journal, the mark of the durable mode', async () => {
    await open().generator.lease(1, 0n)
    expect(readFileSync(path('seqsvr.sqlite-journal'))).toHaveLength(0)
    expect(existsSync(path('seqsvr.sqlite-wal'))).toBe(false)
  })

  it('I2 is taken out of WAL mode', async () => {
    await open().generator.lease(1, 0n)
    const other = new Driver(path('seqsvr.sqlite'))
    other.exec('PRAGMA journal_mode = WAL')
    other.close()
    expect(await open().generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
    expect(openDatabase().prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'delete' })
  })

  it('keeps one row for each instance', async () => {
    const store = open({ uuid: 'one' })
    await store.generator.lease(300, 0n)
    await open({ uuid: 'two' }).generator.lease(1, 0n)
    await store.generator.lease(1, 0n)
    const rows = openDatabase().prepare('SELECT id, uuid FROM generator_table ORDER BY id').all()
    expect(rows).toMatchObject([
      { id: 4, uuid: 'two' },
      { id: 5, uuid: 'one' },
    ])
  })

  it('I1 grants up to 1,024 leases in one transaction, for a row like any other', async () => {
    const store = open({ uuid: 'one' })
    const leases = await store.generator.lease(10_000_000, 0n)
    expect(leases).toHaveLength(1_024)
    expectRising(leases)
    expect([leases[0], leases.at(-1)]).toEqual([
      { start: 100n, end: 200n },
      { start: 102_400n, end: 102_500n },
    ])
    const rows = openDatabase().prepare('SELECT id, uuid FROM generator_table').all()
    expect(rows).toMatchObject([{ id: 1_024, uuid: 'one' }])
    expect(await open({ uuid: 'two' }).generator.lease(1, 0n)).toEqual([{ start: 102_500n, end: 102_600n }])
  })

  it('I1 goes on past the greatest lease although its row was deleted', async () => {
    const store = open()
    await store.generator.lease(300, 0n)
    openDatabase().exec('DELETE FROM generator_table')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 400n, end: 500n }])
  })

  it('needs its tables when the schema is kept by hand', async () => {
    const store = open({ schema: 'manual' })
    expect(await errorOf(store.prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('does not have the tables'),
    })
    await open().prepare()
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})

describe('a file that is exchanged under a running instance', () => {
  it('I3 is noticed when it was deleted, and refused for good', async () => {
    const file = path('seqsvr.sqlite')
    const store = open()
    const sequence = new Sequence({
      source: store.generator,
      clock: systemClock,
      random: () => 0,
      limits: { waitMsMax: 20_000, waitersMax: 10, leaseTargetMs: 1, leaseIdsMax: 1 },
      observe: () => {},
    })
    onTestFinished(() => sequence.close())
    expect(await sequence.takeMany(150)).toHaveLength(150)

    rmSync(file)
    const error = await errorOf(Promise.resolve(sequence.takeMany(10_000)))
    expect(error.code).toBe('REGRESSED')
    expect(Number(error.floor)).toBeGreaterThanOrEqual(300)
    expect(await errorOf(open().generator.lease(1, 0n))).toMatchObject({
      code: 'REGRESSED',
      floor: error.floor,
    })
  })

  it('I3 is read when it was replaced by an older copy', async () => {
    const file = path('seqsvr.sqlite')
    const store = open()
    await store.generator.lease(300, 0n)
    cpSync(file, path('backup'))
    await store.generator.lease(300, 0n)
    rmSync(file)
    cpSync(path('backup'), file)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 400n, end: 500n }])
  })

  it('is made anew with its folder', async () => {
    const store = open({ file: path('data/seqsvr.sqlite') })
    await store.generator.lease(1, 0n)
    rmSync(path('data'), { recursive: true })
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})

describe('a file that cannot be used', () => {
  it('is not a database: STORE_MISCONFIGURED, and well once it is gone', async () => {
    const file = path('seqsvr.sqlite')
    writeFileSync(file, 'Dear diary, '.repeat(500))
    const store = open()
    expect(await errorOf(store.prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: `${file} is not a SQLite database: choose another sqlite.file, or remove this one if nothing needs it (file is not a database)`,
    })
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(500))
    rmSync(file)
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })

  it('may only be read: STORE_MISCONFIGURED', async () => {
    await open().prepare()
    // Byte 18 of the header is the version of the format for writing; SQLite only reads what it does not know.
    const descriptor = openSync(path('seqsvr.sqlite'), 'r+')
    writeSync(descriptor, Uint8Array.of(3), 0, 1, 18)
    closeSync(descriptor)
    expect(await errorOf(open().generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('cannot be opened for writing'),
    })
  })

  it.each([
    ['lies below a file', 'occupied/seqsvr.sqlite'],
    ['is a folder', 'data'],
    ['has an impossible name', `${'n'.repeat(300)}/seqsvr.sqlite`],
  ])('%s: STORE_MISCONFIGURED', async (_, name) => {
    writeFileSync(path('occupied'), '')
    mkdirSync(path('data'))
    expect(await errorOf(open({ file: path(name) }).prepare())).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('cannot be opened for writing'),
    })
  })

  it('is locked for longer than a request may last: STORE_UNAVAILABLE, and well afterwards', async () => {
    const store = open({ timeoutMs: 600 })
    await store.prepare()
    const other = openDatabase()
    other.exec('BEGIN EXCLUSIVE')
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('is locked'),
    })
    other.exec('ROLLBACK')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })
})
