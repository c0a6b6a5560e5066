import mysql from 'mysql2/promise'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Checker } from '../../chaos/checker.ts'
import type { Lease, LeaseSource } from '../../src/core/lease.ts'
import { Sequence } from '../../src/core/sequence.ts'
import { systemClock } from '../../src/system-clock.ts'
import { type MysqlFixture, mysqlFixture } from '../store/mysql-fixture.ts'
import { createDatabase, MysqlServer, query, type TestDatabase } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

describe('a database that forgets commits, killed: innodb_flush_log_at_trx_commit = 0, without syncs', () => {
  /** No commit reaches the disk by itself from `forgetful` on: the log would be written after this many seconds. */
  const SETTINGS = ['--innodb-flush-log-at-timeout=2700', '--innodb-flush-method=nosync', '--sync-binlog=0']

  /** A fleet of one before and after a crash that took its leases along. `atCrash` comes while the server is down. */
  async function forgetfulCrash(atCrash: (instance: SeqsvrProcess) => Promise<void>) {
    for (;;) {
      const server = await MysqlServer.start(SETTINGS)
      onTestFinished(() => server.stop())
      const database = await createDatabase(server.login)
      const env = mysqlEnv(database)
      const instance = await start(env)
      const checker = new Checker()
      await takeNew(checker, instance, 50)
      await query(server.login, 'SET GLOBAL innodb_flush_log_at_trx_commit = 0')
      for (let i = 0; i < 5; i++) expect(await takeNew(checker, instance, 1_000)).toBe(undefined)
      const committed = await greatestId(database)
      await server.kill('SIGKILL')
      await atCrash(instance)
      await server.restart()
      // InnoDB may write its log for reasons of its own, and then forgets nothing.
      if ((await greatestId(database)) < committed) return { checker, env, instance }
      await instance.kill()
    }
  }

  async function greatestId(database: TestDatabase): Promise<number> {
    const [row] = await query(database, 'SELECT MAX(id) AS id FROM generator_table')
    return Number(row?.id)
  }

  it('an instance that starts afterwards repeats ids, and the checker finds them', async () => {
    const { checker, env } = await forgetfulCrash((instance) => instance.kill())
    expect(checker.duplicates).toBe(0)
    await takeNew(checker, await start(env), 1_000)
    expect(checker.duplicates).toBeGreaterThan(0)
    expect(checker.violations[0]).toMatch(/^I1: .* of generator, which was given before$/)
  }, 120_000)

  it('I3: an instance that runs on refuses with REGRESSED, and repeats nothing', async () => {
    const { checker, instance } = await forgetfulCrash(async () => {})
    await until(20_000, async () => (await takeNew(checker, instance, 1_000)) === 'REGRESSED')
    expect(checker.duplicates).toBe(0)
    expect(checker.outOfOrder).toBe(0)
  }, 120_000)
})

describe('connections cut before their COMMIT', () => {
  const ROUNDS = 10

  /** Instances, one after the other, that lease from what `open` gives them while their COMMITs are lost. */
  async function idsOf(open: (database: TestDatabase) => LeaseSource, fixture: MysqlFixture) {
    const proxy = await TcpProxy.start(fixture.database)
    onTestFinished(() => proxy.close())
    await fixture.store.prepare()
    await fixture.store.segments.create('orders', 1n, 10)
    const checker = new Checker()
    for (let i = 0; i < ROUNDS; i++) {
      const cut = proxy.cutAt('COMMIT', 'before')
      const sequence = new Sequence({
        source: open({ ...fixture.database, port: proxy.port }),
        clock: systemClock,
        random: Math.random,
        limits: { waitMsMax: 10_000, waitersMax: 10, leaseTargetMs: 1, leaseIdsMax: 10 },
        observe: () => {},
      })
      checker.acknowledged({ name: `instance ${i}` }, 'orders', [Number(await sequence.take())])
      await cut
      sequence.close()
    }
    return checker
  }

  it('an instance that serves before it knows of the commit repeats ids, and the checker finds them', async () => {
    const fixture = await mysqlFixture()
    onTestFinished(() => fixture.close())
    const checker = await idsOf((database) => new HastySource(database), fixture)
    expect(checker.duplicates).toBeGreaterThan(0)
    expect(checker.violations[0]).toBe('I1: instance 1 got 1 of orders, which was given before')
  }, 60_000)

  it('I2: the store of seqsvr repeats none', async () => {
    const fixture = await mysqlFixture()
    onTestFinished(() => fixture.close())
    const checker = await idsOf((database) => fixture.open(database).segments.source('orders'), fixture)
    expect(checker.violations).toEqual([])
    expect(checker.ids).toBe(ROUNDS)
  }, 60_000)
})

describe('the older server on the same generator_table, which serves n*step+1 to n*step+step', () => {
  const STEP = 100

  async function besideOlderServer(first: 0 | 1): Promise<Checker> {
    const fixture = await mysqlFixture({ agreement: { step: STEP, first } })
    onTestFinished(() => fixture.close())
    const checker = new Checker()
    for (let i = 0; i < 3; i++) {
      const leases = await fixture.store.generator.lease(1, 0n)
      for (const { start, end } of leases)
        checker.acknowledged({ name: 'ours' }, 'generator', range(Number(start), Number(end)))
      const replaced: unknown = await fixture.sql(
        "REPLACE INTO generator_table (uuid) VALUES ('the older server')",
      )
      const n = Number((replaced as { insertId: number }).insertId)
      checker.acknowledged({ name: 'the older one' }, 'generator', range(n * STEP + 1, n * STEP + STEP + 1))
    }
    return checker
  }

  it('gives the first id of each of our leases as its last one with first: 0, and the checker finds them', async () => {
    const { violations } = await besideOlderServer(0)
    expect(violations).toEqual([
      'I1: ours got 300 of generator, which was given before',
      'I1: ours got 500 of generator, which was given before',
    ])
  })

  it('I1: gives no id that we give with first: 1', async () => {
    const { violations, ids } = await besideOlderServer(1)
    expect(violations).toEqual([])
    expect(ids).toBe(600)
  })
})

async function start(env: Record<string, string>): Promise<SeqsvrProcess> {
  const instance = await SeqsvrProcess.start(env)
  onTestFinished(() => instance.kill())
  return instance
}

/** Takes ids of the generator. Resolves with the error's code where there are none. */
async function takeNew(checker: Checker, { url }: SeqsvrProcess, count: number): Promise<string | undefined> {
  const response = await fetch(`${url}/new?format=text&count=${count}`)
  const text = await response.text()
  if (!response.ok) return response.headers.get('seqsvr-error') ?? text
  checker.acknowledged({ name: url, last: new Map() }, 'generator', text.trim().split('\n').map(Number))
  return undefined
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}

/** Broken as I2 forbids: it grants a range and commits it afterwards, whatever comes of that. */
class HastySource implements LeaseSource {
  readonly #database: TestDatabase

  constructor(database: TestDatabase) {
    this.#database = database
  }

  async lease(): Promise<readonly Lease[]> {
    const connection = await mysql.createConnection({ ...this.#database })
    connection.on('error', () => {})
    await connection.query('START TRANSACTION')
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      "SELECT max_id, step FROM segments WHERE app_tag = 'orders' FOR UPDATE",
    )
    const start = BigInt(rows[0]?.max_id)
    const end = start + BigInt(rows[0]?.step)
    await connection.query("UPDATE segments SET max_id = max_id + step WHERE app_tag = 'orders'")
    connection.query('COMMIT').then(
      () => connection.destroy(),
      () => connection.destroy(),
    )
    return [{ start, end }]
  }
}
