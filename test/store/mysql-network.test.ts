import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { MysqlStoreOptions } from '../../src/store/mysql/store.ts'
import { createUser } from '../support/mysql-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { errorOf } from './contract.ts'
import { type MysqlFixture, mysqlFixture, sequenceOn } from './mysql-fixture.ts'

let fixture: MysqlFixture
let proxy: TcpProxy

beforeEach(async () => {
  proxy = await TcpProxy.start(inject('mysql'))
  fixture = await mysqlFixture()
  await fixture.store.prepare()
})

afterEach(async () => {
  await fixture.close()
  await proxy.close()
})

/** An instance that reaches the server through the proxy. */
function behindProxy(options: Partial<MysqlStoreOptions> = {}) {
  return fixture.open({ host: '127.0.0.1', port: proxy.port, connectionsMax: 1, ...options })
}

async function greatestId(): Promise<unknown> {
  const [row] = await fixture.sql('SELECT MAX(id) AS id FROM generator_table')
  return row?.id
}

describe('the network between an instance and MySQL', () => {
  it('I2 grants nothing when the connection breaks before COMMIT arrives', async () => {
    const { generator } = behindProxy()
    await generator.lease(1, 0n)
    const cut = proxy.cutAt('COMMIT', 'before')
    const error = await errorOf(generator.lease(1, 0n))
    await cut
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.message).toContain('did not acknowledge a COMMIT')
    expect(await greatestId()).toBe('1')
    expect((await generator.lease(1, 0n))[0]?.start).toBeGreaterThanOrEqual(200n)
  })

  it('I2 throws a lease away when the answer to COMMIT is lost, and does not repeat it', async () => {
    const { generator } = behindProxy()
    await generator.lease(1, 0n)
    const cut = proxy.cutAt('COMMIT', 'after')
    expect(await errorOf(generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await cut
    expect(await greatestId()).toBe('2')
    expect(await generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
  })

  it('I1 never repeats an id while connections break at every stage', async () => {
    const sequences = [behindProxy(), behindProxy(), fixture.store].map((store) => sequenceOn(store))
    const seen = new Set<unknown>()
    let taken = 0
    try {
      const stages = ['START', 'SELECT', 'REPLACE', 'DELETE', 'COMMIT'] as const
      for (const text of [...stages, ...stages])
        for (const when of ['before', 'after'] as const) {
          const cut = proxy.cutAt(text, when)
          let done = false
          void cut.then(() => {
            done = true
          })
          while (!done)
            for (const sequence of sequences)
              for (const id of await sequence.takeMany(50)) {
                seen.add(id)
                taken++
              }
        }
    } finally {
      for (const sequence of sequences) sequence.close()
    }
    expect(seen.size).toBe(taken)
  })

  it('leases at once on a new connection when the server has closed an idle one', async () => {
    const { generator } = behindProxy()
    await generator.lease(1, 0n)
    proxy.cut()
    expect(await generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })

  it.each(['before', 'after'] as const)(
    'leases at once when an idle connection breaks %s its first statement',
    async (when) => {
      const { generator } = behindProxy()
      await generator.lease(1, 0n)
      const cut = proxy.cutAt('START TRANSACTION', when)
      expect(await generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
      await cut
    },
  )

  it('rejects at its deadline when the network swallows everything, and recovers when it does not', async () => {
    const { generator } = behindProxy({ timeoutMs: 300 })
    await generator.lease(1, 0n)
    proxy.blackHole()
    const startedMs = performance.now()
    const error = await errorOf(generator.lease(1, 0n))
    expect(performance.now() - startedMs).toBeLessThan(1_500)
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.message).toContain('did not answer within 300 ms')
    proxy.pass()
    expect((await generator.lease(1, 0n))[0]?.start).toBeGreaterThanOrEqual(200n)
  })

  it('tries no second connection of a server that let one die', async () => {
    const { generator } = behindProxy({ timeoutMs: 300, connectionsMax: 2 })
    await Promise.all([generator.lease(1, 0n), generator.lease(1, 0n)])
    expect(proxy.links).toBe(2)
    proxy.forget()
    expect(await errorOf(generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
  })

  it('rejects at the deadline for connecting when nothing answers there', async () => {
    proxy.blackHole()
    const error = await errorOf(behindProxy({ connectTimeoutMs: 200, timeoutMs: 60_000 }).prepare())
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.message).toContain('accepted no connection within 200 ms')
    await until(5_000, () => proxy.links === 0)
  })

  it('rejects callers that wait for a connection inside their own deadline', async () => {
    const { generator } = behindProxy({ timeoutMs: 300 })
    await generator.lease(1, 0n)
    proxy.blackHole()
    const startedMs = performance.now()
    const errors = await Promise.all(Array.from({ length: 5 }, () => errorOf(generator.lease(1, 0n))))
    expect(performance.now() - startedMs).toBeLessThan(1_500)
    for (const error of errors) expect(error.code).toBe('STORE_UNAVAILABLE')
  })

  it('leases over a slow network', async () => {
    const { generator } = behindProxy()
    proxy.delay(15)
    expect(await generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
  })

  it('rejects what is in flight when it is closed, and ends its connections', async () => {
    const store = behindProxy()
    await store.generator.lease(1, 0n)
    const inFlight = proxy.blackHole()
    const lease = errorOf(store.generator.lease(1, 0n))
    const waiting = errorOf(store.generator.lease(1, 0n))
    await inFlight
    await store.close()
    expect(await lease).toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(await waiting).toMatchObject({ code: 'SHUTTING_DOWN' })
    await until(5_000, () => proxy.links === 0)
  })

  it('is not available, rather than misconfigured, while the server has too many connections', async () => {
    const user = await createUser(fixture.database, 'ALL')
    // MySQL 5.6 has no such ALTER USER, and 8.0 no such GRANT.
    await fixture
      .sql(`ALTER USER '${user.user}'@'%' WITH MAX_USER_CONNECTIONS 1`)
      .catch(() => fixture.sql(`GRANT USAGE ON *.* TO '${user.user}'@'%' WITH MAX_USER_CONNECTIONS 1`))
    const holder = fixture.open({ ...user, connectionsMax: 1 })
    await holder.prepare()
    const store = fixture.open({ ...user, connectionsMax: 1 })
    expect(await errorOf(store.prepare())).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await holder.close()
    await until(5_000, () =>
      store.prepare().then(
        () => true,
        () => false,
      ),
    )
  })
})
