import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Session } from '../../src/store/mysql/session.ts'
import type { MysqlStoreOptions } from '../../src/store/mysql/store.ts'
import { type MysqlFixture, mysqlFixture } from '../store/mysql-fixture.ts'
import { createUser, MysqlServer, query } from '../support/mysql-server.ts'
import { grave, only } from './findings.ts'

let server: MysqlServer
let isMaria: boolean

// A binlog, which MariaDB does not have unless told, and a setting that cannot be changed while it runs.
beforeAll(async () => {
  server = await MysqlServer.start([
    '--log-bin',
    '--server-id=7',
    '--sync-binlog=1',
    '--innodb-doublewrite=0',
    '--max-user-connections=250',
  ])
  const [row] = await query(server.login, 'SELECT VERSION() AS version')
  isMaria = String(row?.version).includes('MariaDB')
})

afterAll(() => server.stop())

async function fixture(options: Partial<MysqlStoreOptions> = {}): Promise<MysqlFixture> {
  const made = await mysqlFixture({ login: server.login, ...options })
  onTestFinished(() => made.close())
  return made
}

/** Changes a setting of the server for the time of a test. */
async function setGlobal(name: string, value: string | number): Promise<void> {
  const [row] = await query(server.login, `SELECT @@GLOBAL.${name} AS value`)
  await query(server.login, `SET GLOBAL ${name} = ?`, [value])
  onTestFinished(async () => {
    const before = String(row?.value)
    await query(server.login, `SET GLOBAL ${name} = ?`, [/^\d+$/.test(before) ? Number(before) : before])
  })
}

/** What a server with no other faults still has. */
const BASE = ['warning durability-doublewrite']

describe('the settings of a server', () => {
  it('says how fast it answers, and finds nothing but the doublewrite that is off', async () => {
    const { store } = await fixture()
    await store.prepare()
    const findings = await store.inspect()
    expect(grave(findings)).toEqual(BASE)
    expect(only(findings, 'store-reachable').what).toMatch(/answers in \d+\.\d ms$/)
    expect(only(findings, 'durability-doublewrite').what).toBe('innodb_doublewrite is OFF')
  })

  it.each([
    ['innodb_flush_log_at_trx_commit', 2, 'danger durability-redo-log'],
    ['innodb_flush_log_at_trx_commit', 0, 'danger durability-redo-log'],
    ['sync_binlog', 0, 'danger durability-binlog'],
    ['sync_binlog', 100, 'danger durability-binlog'],
    ['read_only', 1, 'failed read-only'],
    ['max_user_connections', 2, 'warning connections'],
  ])('%s = %s: %s', async (name, value, expected) => {
    const { store } = await fixture()
    await setGlobal(name, value)
    expect(grave(await store.inspect()).sort()).toEqual([...BASE, ...(expected ? [expected] : [])].sort())
  })

  it('more connections than the server has: warning connections', async () => {
    const { store } = await fixture({ connectionsMax: 1_000 })
    expect(grave(await store.inspect())).toEqual([...BASE, 'warning connections'])
  })

  it('auto_increment_increment = 7 leaves gaps and is well', async () => {
    const { store } = await fixture()
    await setGlobal('auto_increment_increment', 7)
    const findings = await store.inspect()
    expect(grave(findings)).toEqual(BASE)
    expect(only(findings, 'auto-increment-gaps').what).toContain('one lease number in 7')
  })

  it('a clock that is two minutes behind this machine: warning clock-skew', async () => {
    const { store } = await fixture()
    await store.prepare()
    const nowMs = Date.now() + 120_000
    vi.spyOn(Date, 'now').mockReturnValue(nowMs)
    onTestFinished(() => void vi.restoreAllMocks())
    const { severity, what } = only(await store.inspect(), 'clock-skew')
    expect([severity, what]).toEqual(['warning', expect.stringMatching(/1[12]\d s behind/)])
  })

  it('no TLS to another host: warning tls, also where the server cannot be reached', async () => {
    // Linux takes it for this machine, and seqsvr for any other.
    const { open, database } = await fixture({ host: '0.0.0.0' })
    expect(grave(await open({ host: '0.0.0.0' }).inspect())).toContain('warning tls')
    expect(grave(await open({ host: '0.0.0.0', port: 1 }).inspect())).toEqual([
      'warning tls',
      'failed store-reachable',
    ])
    expect(grave(await open({ host: database.host }).inspect())).toEqual(BASE)
  })
})

describe('a server that takes backslashes for text', () => {
  it('I1: names with quotes are names, and no part of a statement', async () => {
    const { store, sql } = await fixture()
    await setGlobal('sql_mode', 'NO_BACKSLASH_ESCAPES')
    await store.segments.create('orders', 1n, 10)
    const name = "x' OR app_tag = 'orders"
    expect(await store.segments.existing([name])).toEqual(new Set())
    await store.segments.create(name, 500n, 10)
    await store.segments.retire(name)
    expect(await sql('SELECT max_id FROM segments')).toEqual([{ max_id: '1' }])
    expect(grave(await store.inspect())).toEqual(BASE)
  })
})

describe('a server whose transactions see what others commit meanwhile', () => {
  it('I1: a transaction of an instance sees one moment all the same', async () => {
    const name = isMaria ? 'tx_isolation' : 'transaction_isolation'
    await setGlobal(name, 'READ-COMMITTED')
    const session = new Session({ ...server.login, database: 'mysql', tls: false })
    onTestFinished(() => session.quit())
    await session.open()
    expect(await session.rows(`SELECT @@SESSION.${name} AS isolation`)).toEqual([
      { isolation: 'REPEATABLE-READ' },
    ])
  })
})

describe('a replica', () => {
  const statements = (maria: readonly string[], mysql: readonly string[]) => (isMaria ? maria : mysql)
  const run = async (list: readonly string[]) => {
    for (const statement of list) await query(server.login, statement)
  }

  it('is a danger while it follows, a warning when it has stopped, and nothing when it forgot its source', async () => {
    const { store } = await fixture()
    const reset = statements(['STOP SLAVE', 'RESET SLAVE ALL'], ['STOP REPLICA', 'RESET REPLICA ALL'])
    onTestFinished(() => run(reset))
    await run(
      statements(
        ["CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'x'", 'START SLAVE'],
        [
          "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1, SOURCE_USER = 'x'",
          'START REPLICA',
        ],
      ),
    )
    const following = await store.inspect()
    expect(grave(following)).toContain('danger replica')
    expect(only(following, 'replica').what).toBe('the server is a replica of 127.0.0.1:1')
    await run(statements(['STOP SLAVE'], ['STOP REPLICA']))
    expect(grave(await store.inspect())).toContain('warning replica')
    await run(reset)
    expect(grave(await store.inspect())).toEqual(BASE)
  })

  it('that the user may not ask about: warning replica, and all the rest is looked at', async () => {
    const { store, database, open } = await fixture()
    await store.prepare()
    const user = await createUser(database, 'SELECT, INSERT, UPDATE, DELETE')
    const findings = await open(user).inspect()
    expect(grave(findings).sort()).toEqual([...BASE, 'warning replica'].sort())
    expect(only(findings, 'replica').what).toContain('Access denied')
  })
})

describe('what the check does', () => {
  it('writes nothing: the binlog of the server does not grow', async () => {
    const { store, sql } = await fixture()
    await store.prepare()
    await store.segments.create('orders', 1n, 10)
    await store.segments.source('orders').lease(1, 0n)
    await store.generator.lease(1, 0n)
    const state = async () => [
      await sql('SHOW BINARY LOGS'),
      await sql('CHECKSUM TABLE generator_table, segments, counter, seqsvr_meta, seqsvr_leases'),
      await sql('SHOW CREATE TABLE generator_table'),
    ]
    const before = await state()
    expect(grave(await store.inspect())).toEqual(BASE)
    expect(await state()).toEqual(before)
  })
})
