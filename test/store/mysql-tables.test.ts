import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SequenceError } from '../../src/core/errors.ts'
import type { Sequence } from '../../src/core/sequence.ts'
import { Session } from '../../src/store/mysql/session.ts'
import { until } from '../support/until.ts'
import { errorOf } from './contract.ts'
import { fixtureWith, type MysqlFixture, sequenceOn } from './mysql-fixture.ts'

const OLDER_TABLE = `
CREATE TABLE generator_table (
  id int(11) NOT NULL AUTO_INCREMENT,
  uuid char(36) COLLATE utf8_unicode_ci NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY id_UNIQUE (id),
  UNIQUE KEY stub_UNIQUE (uuid) USING BTREE
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci`

/** One that has served its first id. */
async function servingSequence({ store }: MysqlFixture): Promise<Sequence> {
  const sequence = sequenceOn(store)
  onTestFinished(() => sequence.close())
  await sequence.take()
  return sequence
}

/** Takes ids until the sequence fails. */
async function drain(sequence: Sequence): Promise<SequenceError> {
  const deadlineMs = performance.now() + 10_000
  while (performance.now() < deadlineMs)
    try {
      await sequence.take()
    } catch (error) {
      if (error instanceof SequenceError) return error
      throw error
    }
  return expect.fail('it went on serving')
}

describe('the table of the older server', () => {
  // Its lease 41 was 4101 to 4200: the first id of ours, 42, was served.
  it('I1: is used as it is, one lease past what the older server served', async () => {
    const { store, sql } = await fixtureWith()
    await sql(OLDER_TABLE)
    await sql("INSERT INTO generator_table (id, uuid) VALUES (41, 'aaaaaaaa-0000-4000-8000-000000000000')")
    expect(await store.generator.lease(200, 0n)).toEqual([
      { start: 4300n, end: 4400n },
      { start: 4400n, end: 4500n },
    ])
    expect(await sql("SHOW COLUMNS FROM generator_table LIKE 'id'")).toMatchObject([{ Type: 'int(11)' }])
  })

  it('I6 is EXHAUSTED at the end of its INT, with what to do, and goes on once that is done', async () => {
    const { store, another, sql } = await fixtureWith()
    await sql(OLDER_TABLE)
    await sql(
      "INSERT INTO generator_table (id, uuid) VALUES (2147483644, 'aaaaaaaa-0000-4000-8000-000000000000')",
    )
    const neighbour = await another()
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 214_748_364_600n, end: 214_748_364_700n }])
    expect(await neighbour.generator.lease(1, 0n)).toEqual([
      { start: 214_748_364_700n, end: 214_748_364_800n },
    ])
    for (const instance of [store, neighbour, store]) {
      const error = await errorOf(instance.generator.lease(1, 0n))
      expect(error.code).toBe('EXHAUSTED')
      expect(error.message).toContain('ALTER TABLE generator_table MODIFY id BIGINT UNSIGNED')
    }
    await sql('ALTER TABLE generator_table MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 214_748_364_800n, end: 214_748_364_900n }])
  })

  it('I1 shares one table with the older server when first is 1', async () => {
    const { store, sql } = await fixtureWith({ agreement: { step: 100, first: 1 } })
    await sql(OLDER_TABLE)
    const starts: bigint[] = []
    for (let i = 0; i < 3; i++) {
      await sql("REPLACE INTO generator_table (uuid) VALUES ('aaaaaaaa-0000-4000-8000-000000000000')")
      starts.push(...(await store.generator.lease(1, 0n)).map((lease) => lease.start))
    }
    expect(starts).toEqual([201n, 401n, 601n])
  })
})

describe('generator_table', () => {
  it('keeps one row for each instance, and always the greatest', async () => {
    const { store, another, sql } = await fixtureWith()
    const neighbour = await another()
    for (let i = 0; i < 5; i++) {
      await store.generator.lease(500, 0n)
      await neighbour.generator.lease(100, 0n)
    }
    expect(await sql('SELECT id FROM generator_table ORDER BY id')).toEqual([{ id: '29' }, { id: '30' }])
  })
})

describe('a transaction', () => {
  it('leaves nothing behind when it is refused', async () => {
    const { store, sql, setGreatestLeaseId } = await fixtureWith()
    await store.prepare()
    await setGreatestLeaseId(92_233_720_368_547_758n)
    for (let i = 0; i < 3; i++)
      expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'EXHAUSTED' })
    expect(await sql('SELECT id FROM generator_table')).toEqual([{ id: '92233720368547758' }])
  })

  it('is tried again when it waits too long for a lock', async () => {
    const { store, sql, database } = await fixtureWith()
    await store.generator.lease(1, 0n)
    const other = new Session({ ...database, tls: false })
    onTestFinished(() => other.quit())
    await other.open()
    await other.run('START TRANSACTION')
    await other.rows('SELECT id FROM generator_table WHERE id = 1 FOR UPDATE')
    const lease = store.generator.lease(1, 0n)
    const attempts = new Set<unknown>()
    await until(8_000, async () => {
      // The server makes this table anew only for one who has not looked for 100 ms.
      await delay(120)
      const waiting =
        "SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE 'DELETE%'"
      for (const row of await sql(waiting)) attempts.add(row.trx_id)
      return attempts.size === 2
    })
    await other.run('ROLLBACK')
    expect(await lease).toEqual([{ start: 300n, end: 400n }])
  })
})

describe('a database that went backwards (I3)', () => {
  it('I3 refuses after its rows and its counter are lost, until a person advances it', async () => {
    const fixture = await fixtureWith()
    const sequence = await servingSequence(fixture)
    await fixture.setGreatestLeaseId(1000n)
    expect(await fixture.store.generator.lease(1, 0n)).toEqual([{ start: 100_100n, end: 100_200n }])
    while (Number(await sequence.take()) < 100_000);
    await fixture.sql('TRUNCATE TABLE generator_table')
    const error = await drain(sequence)
    expect(error.code).toBe('REGRESSED')

    // Now every instance refuses, also those that never saw the ids.
    await until(
      10_000,
      async () => (await fixture.sql("SELECT * FROM seqsvr_meta WHERE name = 'generator.floor'")).length > 0,
    )
    const refusal = await errorOf(fixture.open().generator.lease(1, 0n))
    expect(refusal.code).toBe('REGRESSED')
    const advice = /(INSERT INTO generator_table .*UUID\(\)\)), or a greater id, and then (DELETE .*)$/.exec(
      refusal.message,
    )
    await fixture.sql(advice?.[1] ?? 'no advice')
    await fixture.sql(advice?.[2] ?? 'no advice')
    await until(10_000, () => sequence.fault === undefined)
    expect(await sequence.take()).toBeGreaterThan(100_200)
  })

  it('I3: with a counter behind its rows, as on a promoted replica, gives no lease of theirs', async () => {
    const { store, sql } = await fixtureWith()
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 100n, end: 200n }])
    // So REPLACE reaches a replica. The counter of MySQL 5 does not follow; those of others do.
    await sql('UPDATE generator_table SET id = 2')
    const [{ version } = {}] = await sql('SELECT VERSION() AS version')
    if (String(version).startsWith('5.'))
      expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({
        code: 'REGRESSED',
        message: expect.stringContaining('it gave lease 2 although lease 2 exists'),
      })
    else expect(await store.generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
  })

  it('I3 refuses after a restore of an older dump', async () => {
    const fixture = await fixtureWith()
    const sequence = await servingSequence(fixture)
    await fixture.sql('CREATE TABLE dump AS SELECT * FROM generator_table')
    await fixture.setGreatestLeaseId(50n)
    while (Number(await sequence.take()) < 5000);
    await fixture.sql('DROP TABLE generator_table')
    await fixture.sql(OLDER_TABLE)
    await fixture.sql('INSERT INTO generator_table SELECT * FROM dump')
    expect(await drain(sequence)).toMatchObject({ code: 'REGRESSED' })
  })

  it('I1 makes no empty table in the place of a dropped one, neither while running nor after a restart', async () => {
    const { store, open, sql } = await fixtureWith()
    await store.generator.lease(1, 0n)
    await sql('DROP TABLE generator_table')
    for (const instance of [store, store, open()])
      expect(await errorOf(instance.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_MISCONFIGURED' })
    expect(await sql("SHOW TABLES LIKE 'generator_table'")).toEqual([])
  })

  it('I1 makes no tables while running although all of them were dropped', async () => {
    const { store, sql } = await fixtureWith()
    await store.generator.lease(1, 0n)
    await sql('DROP TABLE generator_table, segments, counter, seqsvr_leases, seqsvr_meta')
    for (let i = 0; i < 3; i++)
      expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_MISCONFIGURED' })
    expect(await sql('SHOW TABLES')).toEqual([])
  })

  it('I7 refuses to lease when the agreement is changed under it', async () => {
    const { store, sql } = await fixtureWith()
    await store.generator.lease(1, 0n)
    await sql("UPDATE seqsvr_meta SET value = 1000 WHERE name = 'generator.step'")
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STEP_MISMATCH' })
  })

  it('I7 agrees again when the agreement has vanished', async () => {
    const { store, sql } = await fixtureWith()
    await store.generator.lease(1, 0n)
    await sql('DELETE FROM seqsvr_meta')
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_MISCONFIGURED' })
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 300n, end: 400n }])
    expect(await sql('SELECT CAST(name AS CHAR) AS name, value FROM seqsvr_meta ORDER BY name')).toEqual([
      { name: 'generator.first', value: '0' },
      { name: 'generator.step', value: '100' },
    ])
  })

  it('goes on when a dropped table comes back', async () => {
    const { store, sql } = await fixtureWith()
    await store.generator.lease(1, 0n)
    await sql('RENAME TABLE generator_table TO elsewhere')
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_MISCONFIGURED' })
    await sql('RENAME TABLE elsewhere TO generator_table')
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })
})
