import { describe, expect, it } from 'vitest'
import type { CounterDemand } from '../../src/core/store.ts'
import { describeCountersContract } from './counters-contract.ts'
import { mysqlFixture } from './mysql-fixture.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

const REPLACE =
  'REPLACE INTO counter (node_offset, rule_name, app_name, counter, update_time) VALUES (?, ?, ?, ?, ?)'
const DELETE = 'DELETE FROM counter WHERE node_offset = ? AND rule_name = ? AND app_name = ?'

describeCountersContract('SQLite', async () => {
  const { store, another, sql, close } = await sqliteFixture()
  return {
    store,
    another,
    writeRow: async ({ nodeOffset, ruleName, appName }, counter, updateSeconds) =>
      sql(REPLACE, nodeOffset, ruleName, appName, counter, updateSeconds),
    deleteRow: async ({ nodeOffset, ruleName, appName }) => sql(DELETE, nodeOffset, ruleName, appName),
    close,
  }
})

describeCountersContract('MySQL', async () => {
  const fixture = await mysqlFixture()
  await fixture.store.prepare()
  return {
    store: fixture.store,
    another: () => fixture.another(),
    async writeRow({ nodeOffset, ruleName, appName }, counter, updateSeconds) {
      await fixture.sql(REPLACE, [nodeOffset, ruleName, appName, counter, updateSeconds])
    },
    async deleteRow({ nodeOffset, ruleName, appName }) {
      await fixture.sql(DELETE, [nodeOffset, ruleName, appName])
    },
    close: () => fixture.close(),
  }
})

const OLDER_TABLE = `
CREATE TABLE counter (
  node_offset INT NOT NULL DEFAULT 0,
  counter INT NOT NULL DEFAULT 0,
  update_time INT NOT NULL DEFAULT 0,
  rule_name VARCHAR(64) NOT NULL DEFAULT '',
  app_name VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (node_offset, rule_name, app_name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8`

describe("the older server's table of counters, as it is", () => {
  const demand: CounterDemand = {
    ...{ sinceSeconds: 1000, untilSeconds: 2000, seconds: 1500 },
    ...{ first: 0n, last: 2n ** 40n, step: 1n, count: 10, seen: undefined },
  }
  const open = async () => {
    const fixture = await mysqlFixture()
    await fixture.sql(OLDER_TABLE)
    await fixture.sql(
      "INSERT INTO counter VALUES (0, 100, 1400, 'order', 'shop'), (0, 100, 400, 'order', 'old')",
    )
    return fixture
  }
  const key = { nodeOffset: 0, ruleName: 'order', appName: 'shop' }

  it('goes on above what that server had saved, and starts again where its period is over', async () => {
    const { store, sql, close } = await open()
    expect(await store.counters.reserve(key, demand)).toEqual({ first: 101n, count: 10 })
    expect(await store.counters.reserve({ ...key, appName: 'old' }, demand)).toEqual({ first: 0n, count: 10 })
    expect(await sql("SELECT counter, update_time FROM counter WHERE app_name = 'shop'")).toEqual([
      { counter: 110, update_time: 1500 },
    ])
    await close()
  })

  it('says which column to widen when a counter grows out of it, and repeats nothing', async () => {
    const { store, sql, close } = await open()
    await sql("UPDATE counter SET counter = 2147483646 WHERE app_name = 'shop'")
    await expect(store.counters.reserve(key, demand)).rejects.toMatchObject({
      code: 'EXHAUSTED',
      message: expect.stringContaining('ALTER TABLE counter MODIFY counter BIGINT'),
    })
    expect(await store.counters.reserve(key, { ...demand, count: 1 })).toEqual({
      first: 2147483647n,
      count: 1,
    })
    await close()
  })

  it('I3: its narrow columns hold the record of a refusal', async () => {
    const { store, another, sql, close } = await open()
    await sql("UPDATE counter SET counter = 100 WHERE app_name = 'shop'")
    for (const seen of [2147483647n, undefined])
      await expect((await another()).counters.reserve(key, { ...demand, seen })).rejects.toMatchObject({
        code: 'REGRESSED',
      })
    expect(await store.counters.read(key)).toEqual({
      counter: 2147483647n,
      updateSeconds: 1500,
      isRefused: true,
    })
    await close()
  })

  it('refuses names that it cannot hold', async () => {
    const { store, close } = await open()
    for (const appName of ['𝔸', 'x'.repeat(65)])
      await expect(store.counters.reserve({ ...key, appName }, demand)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
    await close()
  })

  it('names that its collation takes for one share a counter, which repeats nothing', async () => {
    const { store, close } = await open()
    expect(await store.counters.reserve({ ...key, appName: 'SHOP' }, demand)).toEqual({
      first: 101n,
      count: 10,
    })
    expect(await store.counters.reserve(key, demand)).toEqual({ first: 111n, count: 10 })
    await close()
  })
})
