import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { ProvenanceStore } from '../../src/core/store.ts'
import { Session } from '../../src/store/mysql/session.ts'
import { loadDriver } from '../../src/store/sqlite/driver.ts'
import { createUser } from '../support/mysql-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { errorOf } from './contract.ts'
import { fixtureWith, type MysqlFixture, mysqlFixture } from './mysql-fixture.ts'
import { describeProvenanceContract, FIRST } from './provenance-contract.ts'
import { openSqlite } from './sqlite-fixture.ts'

const Driver = await loadDriver()

describeProvenanceContract('SQLite', async () => {
  const file = `${await temporaryFolder()}/seqsvr.sqlite`
  const run = async (sql: string) => {
    const database = new Driver(file)
    database.exec(sql)
    database.close()
  }
  return {
    store: openSqlite(file, { uuid: FIRST }),
    another: async (uuid, provenance = true) => openSqlite(file, { uuid, provenance }),
    run,
    async restoreGenerator(n) {
      await run('DELETE FROM generator_table')
      await run(`UPDATE sqlite_sequence SET seq = ${n} WHERE name = 'generator_table'`)
    },
    // Stores and folder go with the test.
    close: async () => {},
  }
})

describeProvenanceContract('MySQL', async () => {
  const fixture = await mysqlFixture({ uuid: FIRST })
  return {
    store: fixture.store,
    another: async (uuid, provenance = true) => fixture.open({ uuid, provenance }),
    run: async (sql) => void (await fixture.sql(sql)),
    async restoreGenerator(n) {
      await fixture.sql('TRUNCATE generator_table')
      await fixture.sql('INSERT INTO generator_table (id, uuid) VALUES (?, UUID())', [n])
    },
    close: () => fixture.close(),
  }
})

describe('leases on record in MySQL', () => {
  const starts = async ({ sql }: MysqlFixture) =>
    (await sql('SELECT start_id FROM seqsvr_leases ORDER BY sequence, start_id')).map((row) => row.start_id)

  describe('a commit that is cut', () => {
    async function behindProxy() {
      const fixture = await fixtureWith()
      await fixture.store.prepare()
      const proxy = await TcpProxy.start(inject('mysql'))
      onTestFinished(() => proxy.close())
      const store = fixture.open({ host: '127.0.0.1', port: proxy.port, connectionsMax: 1 })
      await store.generator.lease(1, 0n)
      await store.segments.create('orders', 1n, 10)
      await store.segments.source('orders').lease(1, 0n)
      return { fixture, proxy, store }
    }

    it('I2: leaves neither a lease nor a record where COMMIT did not arrive', async () => {
      const { fixture, proxy, store } = await behindProxy()
      for (const source of [store.generator, store.segments.source('orders')]) {
        const cut = proxy.cutAt('COMMIT', 'before')
        await errorOf(source.lease(1, 0n))
        await cut
      }
      expect(await starts(fixture)).toEqual(['100', '1'])
      expect(await fixture.sql('SELECT MAX(id) AS id FROM generator_table')).toEqual([{ id: '1' }])
      expect(await fixture.sql('SELECT max_id FROM segments')).toEqual([{ max_id: '11' }])
    })

    it('I2: leaves both where only its answer was lost: leased to that instance, though it serves none of them', async () => {
      const { fixture, proxy, store } = await behindProxy()
      for (const source of [store.generator, store.segments.source('orders')]) {
        const cut = proxy.cutAt('COMMIT', 'after')
        await errorOf(source.lease(1, 0n))
        await cut
      }
      expect(await starts(fixture)).toEqual(['100', '200', '1', '11'])
      expect(await fixture.sql('SELECT MAX(id) AS id FROM generator_table')).toEqual([{ id: '2' }])
      expect(await fixture.sql('SELECT max_id FROM segments')).toEqual([{ max_id: '21' }])
      expect(await store.generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
    })
  })

  describe('a database that has no table for them', () => {
    it.each(['generator', 'segments'] as const)(
      'is told what to do with schema manual, by its %s',
      async (part) => {
        const { store, open, sql } = await fixtureWith()
        await store.prepare()
        await store.segments.create('orders', 1n, 10)
        await sql('DROP TABLE seqsvr_leases')
        const instance = open({ schema: 'manual' })
        const source = part === 'generator' ? instance.generator : instance.segments.source('orders')
        const error = await errorOf(source.lease(1, 0n))
        expect(error.code).toBe('STORE_MISCONFIGURED')
        expect(error.message).toContain(
          'the table seqsvr_leases is missing: import schema.sql, or run `seqsvr init` with a user who may create tables, or set provenance.days to 0',
        )
        const off = open({ schema: 'manual', provenance: false })
        expect(await off.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
      },
    )

    it('is told what to do where the user may not create tables, and goes on once somebody did', async () => {
      const { store, open, sql, database } = await fixtureWith()
      await store.prepare()
      await sql('DROP TABLE seqsvr_leases')
      const instance = open(await createUser(database, 'SELECT, INSERT, UPDATE, DELETE'))
      const error = await errorOf(instance.generator.lease(1, 0n))
      expect(error.code).toBe('STORE_MISCONFIGURED')
      expect(error.message).toContain('set provenance.days to 0')
      await open().prepare()
      expect(await instance.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    })

    it('gets it by itself when an older version was there before', async () => {
      const { store, open, sql } = await fixtureWith()
      await store.generator.lease(1, 0n)
      await sql('DROP TABLE seqsvr_leases')
      const upgraded = open()
      expect(await upgraded.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      expect(await (upgraded.provenance as ProvenanceStore).find('', 250n)).toMatchObject({ start: 200n })
    })
  })

  it('several instances that prune at once beside leases meet no deadlock', async () => {
    const { store, open, sql } = await fixtureWith()
    const lease = async (name: string, times: number) => {
      for (let i = 0; i < times; i++) await store.segments.source(name).lease(1, 0n)
    }
    for (const name of ['a', 'b']) {
      await store.segments.create(name, 1n, 10)
      await lease(name, 30)
    }
    await sql('UPDATE seqsvr_leases SET time_ms = 1000')
    const pruners = [store, open(), open()].map(({ provenance }) => provenance as ProvenanceStore)
    const before = await sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    await Promise.all([
      ...pruners.map((provenance) => provenance.prune(1_000, 0)),
      lease('a', 30),
      lease('b', 30),
    ])
    expect(await sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")).toEqual(before)
    // All but those that were the last ones of their sequences when they were looked at.
    expect((await sql('SELECT start_id FROM seqsvr_leases WHERE time_ms = 1000')).length).toBeLessThanOrEqual(
      2,
    )
  })

  it('an instance that freezes while it prunes holds up no lease, also after another one pruned the same', async () => {
    const { store, sql, open, database } = await fixtureWith()
    for (const name of ['a', 'b']) {
      await store.segments.create(name, 1n, 10)
      for (let i = 0; i < 3; i++) await store.segments.source(name).lease(1, 0n)
    }
    await sql("UPDATE seqsvr_leases SET time_ms = start_id WHERE sequence = 'b'")
    // Two others that are just deleting the first two records of b. On MySQL a record that is gone may lock the gap
    // before it, in which the end of a lies.
    const others = [1, 11].map(() => new Session({ ...database, tls: false }))
    onTestFinished(async () => void (await Promise.all(others.map((other) => other.quit()))))
    for (const [i, other] of others.entries()) {
      await other.open()
      await other.run('START TRANSACTION')
      await other.run(`DELETE FROM seqsvr_leases WHERE sequence = 'b' AND start_id = ${1 + 10 * i}`)
    }
    const waitsFor = (start: number) =>
      until(8_000, async () => {
        // The server makes this table anew only for one who has not looked for 100 ms.
        await delay(120)
        const rows = await sql(
          `SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%start_id = ${start}'`,
        )
        return rows.length > 0
      })
    const pruning = (open().provenance as ProvenanceStore).prune(1_000, 0)
    await waitsFor(1)
    await others[0]?.run('COMMIT')
    await waitsFor(11)
    // What a lease of a does, with less patience than the one that prunes has.
    await others[0]?.run('SET SESSION innodb_lock_wait_timeout = 1')
    await others[0]?.run("INSERT INTO seqsvr_leases VALUES ('a', 31, 41, 'lease', 1)")
    await others[1]?.run('COMMIT')
    await pruning
  })
})
