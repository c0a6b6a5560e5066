import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SegmentStore } from '../../src/core/store.ts'
import { errorOf } from './contract.ts'
import { type MysqlFixture, mysqlFixture } from './mysql-fixture.ts'

/** The table as older servers made it. */
const OLDER_TABLE = `
CREATE TABLE segments (
  app_tag VARCHAR(32) NOT NULL, max_id BIGINT NOT NULL, step BIGINT NOT NULL,
  update_time DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (app_tag)
) ENGINE = InnoDB DEFAULT CHARSET = utf8 COLLATE utf8_general_ci`

let fixture: MysqlFixture
let segments: SegmentStore
beforeEach(async () => {
  fixture = await mysqlFixture()
  segments = fixture.store.segments
})
afterEach(() => fixture.close())

const lease = (name: string, ids = 1, seenEnd = 0n) => segments.source(name).lease(ids, seenEnd)

describe('the segments table of an older server', () => {
  it('is used as it is', async () => {
    await fixture.sql(OLDER_TABLE)
    await fixture.sql("INSERT INTO segments (app_tag, max_id, step) VALUES ('test_business', 0, 100000)")
    expect(await lease('test_business')).toEqual([{ start: 1n, end: 100000n }])
    expect(await lease('test_business')).toEqual([{ start: 100000n, end: 200000n }])
  })

  it('serves no row whose name is merely like the one that is asked for', async () => {
    await fixture.sql(OLDER_TABLE)
    await segments.create('Order', 1n, 10)
    for (const name of ['order', 'ORDER', 'Order ', 'Ordér'])
      expect(await errorOf(lease(name))).toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
    const refused = await errorOf(segments.create('order', 1n, 10))
    expect(refused.code).toBe('SEQUENCE_EXISTS')
    expect(refused.message).toContain('takes "order" for "Order"')
  })

  it('a name that its characters cannot hold harms no other name', async () => {
    await fixture.sql(OLDER_TABLE)
    await segments.create('good', 1n, 10)
    expect(await segments.existing(['x😀', 'good', 'nope'])).toEqual(new Set(['good']))
    expect(await errorOf(lease('x😀'))).toMatchObject({ code: 'UNKNOWN_SEQUENCE' })
    expect(await errorOf(segments.create('x😀', 1n, 10))).toMatchObject({ code: 'BAD_REQUEST' })
    expect(await errorOf(segments.create('x'.repeat(33), 1n, 10))).toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('I6: a signed column serves every id but its last, then is EXHAUSTED', async () => {
    await fixture.sql(OLDER_TABLE)
    await segments.create('big', 9223372036854775800n, 1000)
    expect(await lease('big')).toEqual([{ start: 9223372036854775800n, end: 9223372036854775807n }])
    expect(await errorOf(lease('big'))).toMatchObject({ code: 'EXHAUSTED' })
  })

  it('I6: a narrow column serves its last ids although more are asked for at once', async () => {
    await fixture.sql(OLDER_TABLE.replace('max_id BIGINT', 'max_id INT'))
    await segments.create('small', 2147483000n, 100)
    expect(await lease('small', 10_000)).toEqual([{ start: 2147483000n, end: 2147483100n }])
    for (let i = 0; i < 5; i++) await lease('small', 10_000)
    expect(await errorOf(lease('small', 10_000))).toMatchObject({
      code: 'EXHAUSTED',
      message: expect.stringContaining('MODIFY max_id BIGINT UNSIGNED'),
    })
  })

  it.each([
    ['NULL', 'NULL'],
    ['a decimal', '1000.5'],
  ])('a row with %s in it is refused by name, and the others go on', async (_what, value) => {
    await fixture.sql(
      'CREATE TABLE segments (app_tag VARCHAR(32) PRIMARY KEY, max_id BIGINT, step DECIMAL(20,1))',
    )
    await fixture.sql(`INSERT INTO segments VALUES ('odd', 1, ${value}), ('good', 1, 10)`)
    expect(await errorOf(lease('odd'))).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringMatching(/"odd".* step/),
    })
  })

  it('I1: an engine without transactions is refused', async () => {
    await fixture.sql(OLDER_TABLE.replace('InnoDB', 'MyISAM'))
    expect(await errorOf(lease('orders'))).toMatchObject({
      code: 'STORE_MISCONFIGURED',
      message: expect.stringContaining('ALTER TABLE segments ENGINE = InnoDB'),
    })
    expect(await errorOf(fixture.store.prepare())).toMatchObject({ code: 'STORE_MISCONFIGURED' })
  })
})

describe('names that are made and removed at the same time', () => {
  it('I1: SET beside DEL ends with a sequence above all that was leased, not with a refusal', async () => {
    const other = (await fixture.another()).segments
    await segments.create('k', 1n, 10)
    let greatest = 0n
    for (let round = 0; round < 40; round++) {
      await Promise.allSettled([other.retire('k'), segments.create('k', 0n, 10)])
      await segments.create('k', 0n, 10).catch(() => {})
      const [granted] = await lease('k', 1, greatest)
      expect(granted?.start).toBeGreaterThanOrEqual(greatest)
      greatest = granted?.end as bigint
    }
  })
})
