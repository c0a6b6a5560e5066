import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createUser, MysqlServer, query } from '../support/mysql-server.ts'
import { until } from '../support/until.ts'
import { errorOf } from './contract.ts'
import { type MysqlFixture, mysqlFixture, sequenceOn } from './mysql-fixture.ts'

let server: MysqlServer
let fixture: MysqlFixture

beforeAll(async () => {
  server = await MysqlServer.start()
})
afterAll(() => server.stop())

beforeEach(async () => {
  fixture = await mysqlFixture({ login: server.login, timeoutMs: 1_000, connectTimeoutMs: 500 })
})
afterEach(() => fixture.close())

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

describe('a MySQL server that fails', () => {
  it('I1 goes on where it was after kill -9 and a restart, with the same store', async () => {
    const { generator } = fixture.store
    expect(await generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    await server.kill('SIGKILL')
    expect(await errorOf(generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await server.restart()
    expect(await generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })

  it('I1 repeats no id when it is killed again and again under load', async () => {
    const sequences = [fixture.store, fixture.open(), fixture.open()].map((store) => sequenceOn(store))
    const seen = new Set<unknown>()
    let taken = 0
    let stop = false
    const loads = sequences.map(async (sequence) => {
      while (!stop)
        try {
          for (const id of await sequence.takeMany(40)) {
            seen.add(id)
            taken++
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        }
    })
    for (let i = 0; i < 3; i++) {
      const before = taken
      await until(10_000, () => taken > before + 20_000)
      await server.kill('SIGKILL')
      await server.restart()
    }
    stop = true
    await Promise.all(loads)
    for (const sequence of sequences) sequence.close()
    expect(seen.size).toBe(taken)
  })

  it('rejects at its deadline while the server is frozen, and recovers with it', async () => {
    const openBefore = openSockets()
    const { generator } = fixture.store
    await generator.lease(1, 0n)
    await server.kill('SIGSTOP')
    try {
      const startedMs = performance.now()
      expect(await errorOf(generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
      // The second has no connection left and meets a server that accepts, but says nothing.
      expect(await errorOf(generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(performance.now() - startedMs).toBeLessThan(3_000)
      await until(1_000, () => openSockets() === openBefore)
    } finally {
      await server.kill('SIGCONT')
    }
    await until(5_000, () =>
      generator.lease(1, 0n).then(
        () => true,
        () => false,
      ),
    )
  })

  it('closes although the server is frozen', async () => {
    await fixture.store.generator.lease(1, 0n)
    await server.kill('SIGSTOP')
    try {
      const startedMs = performance.now()
      await fixture.store.close()
      expect(performance.now() - startedMs).toBeLessThan(2_500)
    } finally {
      await server.kill('SIGCONT')
    }
  })

  it('drops its connection when the server turns read only, and goes on when it is writable', async () => {
    const user = await createUser(fixture.database, 'SELECT, INSERT, UPDATE, DELETE')
    await fixture.store.prepare()
    const { generator } = fixture.open(user)
    await generator.lease(1, 0n)
    const connection = async () => {
      const sql = 'SELECT id FROM information_schema.processlist WHERE user = ?'
      const [row] = await query(server.login, sql, [user.user])
      return row?.id
    }
    const before = await connection()
    await query(server.login, 'SET GLOBAL read_only = 1')
    try {
      const error = await errorOf(generator.lease(1, 0n))
      expect(error.code).toBe('STORE_UNAVAILABLE')
      expect(error.message).toContain('read only')
    } finally {
      await query(server.login, 'SET GLOBAL read_only = 0')
    }
    expect((await generator.lease(1, 0n))[0]?.start).toBeGreaterThanOrEqual(200n)
    expect(await connection()).not.toBe(before)
  })

  it('survives an administrator who kills its connection', async () => {
    const { generator } = fixture.store
    await generator.lease(1, 0n)
    const [row] = await query(server.login, 'SELECT id FROM information_schema.processlist WHERE db = ?', [
      fixture.database.database,
    ])
    await query(server.login, `KILL ${String(row?.id)}`)
    expect(await generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })
})
