import { describe, expect, it, onTestFinished } from 'vitest'
import { Session } from '../../src/store/mysql/session.ts'
import { createUser, query } from '../support/mysql-server.ts'
import { until } from '../support/until.ts'
import { errorOf } from './contract.ts'
import { fixtureWith } from './mysql-fixture.ts'

describe('a store that is set up wrongly', () => {
  it('says that the password is wrong, and not which', async () => {
    const { open, database } = await fixtureWith()
    const user = await createUser(database, 'ALL')
    const error = await errorOf(open({ ...user, password: 'hunter2' }).prepare())
    expect(error.code).toBe('STORE_MISCONFIGURED')
    expect(error.message).toContain(
      `${database.host}:${database.port}/${database.database}: wrong user or password`,
    )
    expect(error.message).not.toContain('hunter2')
  })

  it('says that there is no such database', async () => {
    const { open } = await fixtureWith()
    const error = await errorOf(open({ database: 'seqsvr_nowhere' }).prepare())
    expect(error.code).toBe('STORE_MISCONFIGURED')
    expect(error.message).toContain('there is no such database')
  })

  it('says what to do about missing tables with schema manual', async () => {
    const { open, sql } = await fixtureWith()
    const error = await errorOf(open({ schema: 'manual' }).generator.lease(1, 0n))
    expect(error.code).toBe('STORE_MISCONFIGURED')
    expect(error.message).toContain('seqsvr init')
    expect(error.message).toContain('schema.sql')
    expect(await sql('SHOW TABLES')).toEqual([])
  })

  it('works for a user who may not create tables, once somebody else has', async () => {
    const { store, open, database } = await fixtureWith()
    const user = await createUser(database, 'SELECT, INSERT, UPDATE, DELETE')
    const instance = open(user)
    const error = await errorOf(instance.generator.lease(1, 0n))
    expect(error.code).toBe('STORE_MISCONFIGURED')
    expect(error.message).toContain('seqsvr init')
    await store.prepare()
    expect(await instance.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    expect(await errorOf(instance.generator.lease(1, 1000n))).toMatchObject({ code: 'REGRESSED' })
  })

  it('says which rights are missing', async () => {
    const { store, open, database } = await fixtureWith()
    await store.prepare()
    const user = await createUser(database, 'SELECT')
    const error = await errorOf(open(user).generator.lease(1, 0n))
    expect(error.code).toBe('STORE_MISCONFIGURED')
    expect(error.message).toContain('GRANT SELECT, INSERT, UPDATE, DELETE')
  })

  it('is not available where nothing listens, and comes back to life with its server', async () => {
    const { open } = await fixtureWith()
    const error = await errorOf(open({ host: '127.0.0.1', port: 1 }).prepare())
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.message).toContain('127.0.0.1:1/')
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('refuses a server without TLS where TLS is asked for', async () => {
    const { open, sql } = await fixtureWith()
    expect(await sql("SHOW VARIABLES LIKE 'have_ssl'")).toMatchObject([{ Value: 'DISABLED' }])
    expect(await errorOf(open({ tls: true }).prepare())).toMatchObject({ code: 'STORE_MISCONFIGURED' })
  })
})

describe('a connection', () => {
  it('holds its locks for at most 5 s of silence and waits 2 s for others', async () => {
    const { database } = await fixtureWith()
    const own = new Session({ ...database, tls: false })
    onTestFinished(() => own.quit())
    await own.open()
    expect(await own.rows('SELECT @@wait_timeout AS idle, @@innodb_lock_wait_timeout AS lock_wait')).toEqual([
      { idle: '5', lock_wait: '2' },
    ])
  })

  it('leaves none behind when it is closed', async () => {
    const { store, database } = await fixtureWith()
    await Promise.all([1, 2, 3].map(() => store.generator.lease(1, 0n)))
    await store.close()
    await until(5_000, async () => {
      const rows = await query(
        { ...database, database: 'information_schema' },
        'SELECT id FROM processlist WHERE db = ?',
        [database.database],
      )
      return rows.length === 0
    })
  })

  it('has limits: more callers wait for a connection', async () => {
    const { open, sql, database } = await fixtureWith()
    const store = open({ connectionsMax: 2 })
    await Promise.all(Array.from({ length: 20 }, () => store.generator.lease(1, 0n)))
    const rows = await sql(
      'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()',
      [database.database],
    )
    expect(rows).toHaveLength(2)
  })
})
