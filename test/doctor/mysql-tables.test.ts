import { describe, expect, it, onTestFinished } from 'vitest'
import type { MysqlStoreOptions } from '../../src/store/mysql/store.ts'
import { type MysqlFixture, mysqlFixture } from '../store/mysql-fixture.ts'
import { createUser } from '../support/mysql-server.ts'
import { grave, only } from './findings.ts'

/** What the shared server itself may be at fault with. */
const OF_THE_SERVER = /durability|replica|connections|isolation|server-version|clock/

const DAY_MS = 86_400_000

async function fixture(options: Partial<MysqlStoreOptions> = {}): Promise<MysqlFixture> {
  const made = await mysqlFixture(options)
  onTestFinished(() => made.close())
  return made
}

async function prepared(options: Partial<MysqlStoreOptions> = {}): Promise<MysqlFixture> {
  const made = await fixture(options)
  await made.store.prepare()
  return made
}

async function faults({ store }: Pick<MysqlFixture, 'store'>): Promise<string[]> {
  return grave(await store.inspect()).filter((fault) => !OF_THE_SERVER.test(fault))
}

describe('tables', () => {
  it('none, with schema auto: all is well, and they will be made', async () => {
    const made = await fixture()
    expect(await faults(made)).toEqual([])
    expect(only(await made.store.inspect(), 'tables').what).toContain('is empty')
  })

  it('none, with schema manual: failed tables', async () => {
    expect(await faults(await fixture({ schema: 'manual' }))).toEqual(['failed tables'])
  })

  it('I1: generator_table gone although ids were leased from it: failed tables', async () => {
    const made = await prepared()
    await made.sql('DROP TABLE generator_table')
    expect(await faults(made)).toEqual(['failed tables'])
    expect(only(await made.store.inspect(), 'tables').what).toContain('although ids were leased')
  })

  it('that of leases counts only where leases are recorded', async () => {
    const made = await prepared({ schema: 'auto' })
    await made.sql('DROP TABLE seqsvr_leases')
    expect(await faults({ store: made.open({ schema: 'manual' }) })).toEqual(['failed tables'])
    expect(await faults({ store: made.open({ schema: 'manual', provenance: false }) })).toEqual([])
  })

  it('of an engine without transactions: danger engine', async () => {
    const made = await prepared()
    await made.sql('ALTER TABLE segments ENGINE = MyISAM')
    expect(await faults(made)).toEqual(['danger engine'])
  })

  it.each([
    'ALTER TABLE segments DROP COLUMN step',
    'ALTER TABLE segments MODIFY max_id DOUBLE NOT NULL',
    'ALTER TABLE segments DROP PRIMARY KEY',
    'ALTER TABLE generator_table MODIFY id BIGINT NOT NULL',
    'ALTER TABLE counter DROP COLUMN update_time',
  ])('%s: failed columns', async (alter) => {
    const made = await prepared()
    await made.sql(alter)
    expect(await faults(made)).toContain('failed columns')
  })

  it('of the older servers, with their types, are well', async () => {
    const made = await fixture()
    await made.sql(
      'CREATE TABLE generator_table (id INT UNSIGNED NOT NULL AUTO_INCREMENT, uuid CHAR(36) NOT NULL, PRIMARY KEY (id), UNIQUE KEY (uuid)) ENGINE = InnoDB',
    )
    await made.sql(
      'CREATE TABLE segments (app_tag VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, max_id BIGINT NOT NULL DEFAULT 0, step INT NOT NULL DEFAULT 0, PRIMARY KEY (app_tag)) ENGINE = InnoDB',
    )
    await made.store.prepare()
    expect(await faults(made)).toEqual([])
  })

  it('that take Orders for orders: warning name-collation', async () => {
    const made = await prepared()
    await made.sql(
      'ALTER TABLE segments MODIFY app_tag VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL',
    )
    expect(await faults(made)).toEqual(['warning name-collation'])
  })
})

describe('rights', () => {
  it('to read alone: failed rights', async () => {
    const made = await prepared()
    const user = await createUser(made.database, 'SELECT')
    expect(await faults({ store: made.open(user) })).toEqual(['failed rights'])
  })

  it('without CREATE, where tables are missing: failed rights, unless they are made by hand', async () => {
    const made = await fixture()
    const user = await createUser(made.database, 'SELECT, INSERT, UPDATE, DELETE')
    expect(await faults({ store: made.open(user) })).toEqual(['failed rights'])
    const builder = await createUser(made.database, 'SELECT, INSERT, UPDATE, DELETE, CREATE')
    expect(await faults({ store: made.open(builder) })).toEqual([])
  })
})

describe('the generator', () => {
  it('I7: another step or first than the agreed one: failed agreement', async () => {
    const made = await prepared()
    expect(await faults({ store: made.open({ agreement: { step: 7, first: 0 } }) })).toEqual([
      'failed agreement',
    ])
    expect(await faults({ store: made.open({ agreement: { step: 100, first: 1 } }) })).toEqual([
      'failed agreement',
    ])
  })

  it('I3: a refusal on record: failed generator-floor, until an advance lifts it', async () => {
    const made = await prepared()
    await made.sql("INSERT INTO seqsvr_meta (name, value) VALUES ('generator.floor', 5000)")
    expect(await faults(made)).toEqual(['failed generator-floor'])
    expect(only(await made.store.inspect(), 'generator-floor').what).toContain('ids below 5000')
    await made.store.generator.advanceBy(1n)
    expect(await faults(made)).toEqual([])
  })

  it('I3: a table that stands below the leases on record: failed generator-floor', async () => {
    const made = await prepared()
    await made.store.generator.lease(1_000, 0n)
    await made.sql('DELETE FROM generator_table')
    expect(await faults(made)).toEqual(['failed generator-floor'])
    expect(await faults({ store: made.open({ provenance: false }) })).toEqual([])
  })

  it('with less than a tenth of its column left: warning generator-space; at the end: failed', async () => {
    const made = await prepared()
    await made.sql('ALTER TABLE generator_table MODIFY id INT NOT NULL AUTO_INCREMENT')
    expect(await faults(made)).toEqual([])
    await made.setGreatestLeaseId(2_000_000_000n)
    expect(await faults(made)).toEqual(['warning generator-space'])
    expect(only(await made.store.inspect(), 'generator-space').what).toBe(
      'the generator has 14,748,364,700 ids left: the column generator_table.id ends at 2147483647',
    )
    await made.setGreatestLeaseId(2_147_483_647n)
    expect(await faults(made)).toEqual(['failed generator-space'])
  })

  it('says how long its column lasts at the rate of the leases on record', async () => {
    const made = await prepared()
    await made.sql('ALTER TABLE generator_table MODIFY id INT NOT NULL AUTO_INCREMENT')
    await made.setGreatestLeaseId(1_000_000_000n)
    // A billion ids in a day, and 114.7 billion are left.
    await made.sql(
      `INSERT INTO seqsvr_leases (sequence, start_id, end_id, instance, time_ms) VALUES ('', 0, 1000000000, 'x', ${Date.now() - DAY_MS})`,
    )
    expect(await faults(made)).toEqual(['warning generator-space'])
    expect(only(await made.store.inspect(), 'generator-space').what).toMatch(
      /, 114 days at the present rate$/,
    )
  })

  it('I6: past 2^53: warning large-ids', async () => {
    const made = await prepared()
    await made.setGreatestLeaseId(2n ** 53n / 100n)
    expect(await faults(made)).toEqual(['warning large-ids'])
  })
})

describe('named sequences and counters', () => {
  it('I3: with a refusal on record: failed sequence-floors names them, and no retired ones', async () => {
    const made = await prepared()
    for (const name of ['a', 'b', 'c', 'd', 'gone']) await made.store.segments.create(name, 100n, 10)
    await made.store.segments.retire('gone')
    expect(await faults(made)).toEqual([])
    for (const name of ['a', 'b', 'c', 'd'])
      await made.sql(`INSERT INTO seqsvr_meta (name, value) VALUES ('segment.floor/${name}', 5000)`)
    expect(await faults(made)).toEqual(['failed sequence-floors'])
    expect(only(await made.store.inspect(), 'sequence-floors').what).toContain(
      '4 sequences have a refusal on record: "a", "b", "c" and 1 more',
    )
  })

  it('I3: below the leases on record: failed sequence-floors', async () => {
    const made = await prepared()
    await made.store.segments.create('orders', 1n, 10)
    await made.store.segments.source('orders').lease(1, 0n)
    await made.sql('UPDATE segments SET max_id = 1')
    expect(await faults(made)).toEqual(['failed sequence-floors'])
  })

  it('with a row of which no lease can be made: failed sequence-rows', async () => {
    const made = await prepared()
    await made.sql("INSERT INTO segments (app_tag, max_id, step) VALUES ('zero', 1, 0)")
    expect(await faults(made)).toEqual(['failed sequence-rows'])
  })

  it('near the end of max_id: warning sequence-space; at it: failed', async () => {
    const made = await prepared()
    await made.sql('ALTER TABLE segments MODIFY max_id INT NOT NULL')
    await made.sql("INSERT INTO segments (app_tag, max_id, step) VALUES ('orders', 2000000000, 10)")
    expect(await faults(made)).toEqual(['warning sequence-space'])
    await made.sql('UPDATE segments SET max_id = 2147483647')
    expect(await faults(made)).toEqual(['failed sequence-space'])
  })

  it('I6: past 2^53: warning large-ids', async () => {
    const made = await prepared()
    await made.store.segments.create('orders', 2n ** 53n, 10)
    expect(await faults(made)).toEqual(['warning large-ids'])
  })

  it('I3: a counter with a refusal on record: warning counter-refusals', async () => {
    const made = await prepared()
    await made.sql(
      "INSERT INTO counter (counter, update_time, rule_name, app_name) VALUES (-8, 1, 'r', 'shop')",
    )
    expect(await faults(made)).toEqual(['warning counter-refusals'])
    expect(only(await made.store.inspect(), 'counter-refusals').what).toContain('"r of shop"')
  })
})
