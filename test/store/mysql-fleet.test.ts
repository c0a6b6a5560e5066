import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Lease } from '../../src/core/lease.ts'
import { grant } from '../../src/store/mysql/grant.ts'
import { Session } from '../../src/store/mysql/session.ts'
import { expectRising } from './contract.ts'
import { type MysqlFixture, mysqlFixture } from './mysql-fixture.ts'

let fixture: MysqlFixture
afterEach(() => fixture.close())

describe('a fleet on one MySQL', () => {
  it.each([1, 10])(
    'I1 leases hard from 8 instances, %i leases at once, without an error or an overlap',
    async (k) => {
      fixture = await mysqlFixture({ timeoutMs: 5_000 })
      const instances = Array.from({ length: 8 }, () => fixture.open())
      const grants = await Promise.all(
        instances.map(async ({ generator }) => {
          const leases: Lease[] = []
          for (let i = 0; i < 50; i++) leases.push(...(await generator.lease(k * 100, 0n)))
          return leases
        }),
      )
      for (const leases of grants) expectRising(leases)
      const all = grants.flat()
      expect(all).toHaveLength(8 * 50 * k)
      expectRising(all.sort((a, b) => (a.start < b.start ? -1 : 1)))
      const [row] = await fixture.sql('SELECT COUNT(*) AS count FROM generator_table')
      expect(row).toEqual({ count: '8' })
    },
  )

  it('I1 leases beside an older server that deletes and inserts with REPLACE', async () => {
    fixture = await mysqlFixture({ agreement: { step: 100, first: 1 } })
    const { open, database } = fixture
    await fixture.store.prepare()
    const older = new Session({ ...database, tls: false })
    await older.open()
    const uuid = randomUUID()
    const starts: bigint[] = []
    const instances = Array.from({ length: 3 }, () => open())
    await Promise.all([
      (async () => {
        for (let i = 0; i < 100; i++) {
          const { insertId } = await older.run('REPLACE INTO generator_table (uuid) VALUES (?)', [uuid])
          starts.push(BigInt(insertId) * 100n + 1n)
        }
      })(),
      ...instances.map(async ({ generator }) => {
        for (let i = 0; i < 50; i++)
          starts.push(...(await generator.lease(200, 0n)).map((lease) => lease.start))
      }),
    ])
    await older.quit()
    expect(starts).toHaveLength(400)
    expect(new Set(starts).size).toBe(400)
  })

  it('makes a sequence once, however many ask for it at once, and tells all others that it is there', async () => {
    fixture = await mysqlFixture({ timeoutMs: 5_000 })
    const instances = Array.from({ length: 8 }, () => fixture.open())
    for (let i = 0; i < 20; i++) {
      const outcomes = await Promise.all(
        Array.from({ length: 32 }, (_, n) =>
          instances[n % 8]?.segments.create(`orders ${i}`, 1n, 10).then(
            () => 'made',
            ({ code, message }) => (code === 'SEQUENCE_EXISTS' ? code : message),
          ),
        ),
      )
      expect(outcomes.sort()).toEqual([...new Array(31).fill('SEQUENCE_EXISTS'), 'made'])
    }
  })

  it('is not held up by an instance that froze inside its transaction', async () => {
    fixture = await mysqlFixture({ timeoutMs: 1_500 })
    const { open, database } = fixture
    const instances = Array.from({ length: 8 }, () => open())
    for (const { generator } of instances) await generator.lease(300, 0n)

    const frozen = new Session({ ...database, tls: false })
    await frozen.open()
    const agreement = { step: 100, first: 0 } as const
    await frozen.run('START TRANSACTION')
    const { row } = await grant(frozen, [randomUUID(), randomUUID()], [], 0n, agreement)
    await frozen.run('COMMIT')
    await frozen.run('START TRANSACTION')
    await grant(frozen, [randomUUID(), randomUUID()], [row], row, agreement)

    const newcomers = Array.from({ length: 8 }, () => open())
    await Promise.all([...instances, ...newcomers].map(({ generator }) => generator.lease(300, 0n)))
    await Promise.all([...instances, ...newcomers].map(({ generator }) => generator.lease(300, 0n)))
    await frozen.quit()
  })
})
