import { describe, expect, it } from 'vitest'
import { grant, type Statements } from '../../src/store/mysql/grant.ts'
import { errorOf } from './contract.ts'

const AGREEMENT = { step: 100, first: 0 } as const

/**
 * A session of a server that is not at hand: REPLACE leaves rows of these ids behind, of which it `replaced` some, or
 * fails with an error.
 */
function statementsWith(ids: string[], replaced: number, errno?: number, message = 'full'): Statements {
  return {
    rows: async () => ids.map((id) => ({ id })) as never,
    run: async () => {
      if (errno !== undefined)
        throw Object.assign(new Error(message), { errno, code: 'ER', sqlState: 'HY000' })
      return { affectedRows: ids.length + replaced } as never
    },
  }
}

describe('grant, on answers of other servers', () => {
  it.each([
    ['INT', '2147483647'],
    ['INT UNSIGNED', '4294967295'],
    ['BIGINT', '9223372036854775807'],
  ])('I6: is EXHAUSTED when REPLACE gives the last id of an %s column again', async (_type, id) => {
    const error = await errorOf(grant(statementsWith([id], 1), ['u'], [], BigInt(id), AGREEMENT))
    expect(error.code).toBe('EXHAUSTED')
    expect(error.message).toContain('BIGINT UNSIGNED')
  })

  it.each([1467, 167, 1264])(
    'I6: is EXHAUSTED when the column has no next value (error %i)',
    async (errno) => {
      const granted = grant(statementsWith([], 0, errno), ['u'], [], 7n, AGREEMENT)
      expect(await errorOf(granted)).toMatchObject({ code: 'EXHAUSTED' })
    },
  )

  it('I6: is EXHAUSTED when another instance was granted the last id meanwhile', async () => {
    const statements = statementsWith(['2147483647'], 1)
    expect(await errorOf(grant(statements, ['u'], [], 2_147_483_646n, AGREEMENT))).toMatchObject({
      code: 'EXHAUSTED',
    })
  })

  it.each(['9', '8', '1'])('I3: is REGRESSED when the counter gives %s again, where 9 exists', async (id) => {
    expect(await errorOf(grant(statementsWith([id], 1), ['u'], [], 9n, AGREEMENT))).toMatchObject({
      code: 'REGRESSED',
      floor: 1000n,
    })
  })

  it('I3: is REGRESSED when the counter gives an id whose row came meanwhile', async () => {
    expect(await errorOf(grant(statementsWith(['10'], 1), ['u'], [], 9n, AGREEMENT))).toMatchObject({
      code: 'REGRESSED',
      floor: 1100n,
    })
  })

  // The words of MySQL 5.6.24, of its French, and of 8.0.
  it.each([
    "Duplicate entry '9' for key 'PRIMARY'",
    "Duplicata du champ '9' pour la clef 'PRIMARY'",
    "Duplicate entry '9' for key 'generator_table.PRIMARY'",
  ])('I3: is REGRESSED when REPLACE does not replace a row: %s', async (message) => {
    const granted = grant(statementsWith([], 0, 1062, message), ['u'], [], 12n, AGREEMENT)
    expect(await errorOf(granted)).toMatchObject({
      code: 'REGRESSED',
      floor: 1300n,
      message: expect.stringContaining('it gave lease 9 although lease 12 exists'),
    })
  })

  it('I6: is EXHAUSTED when REPLACE does not replace the row with the last id', async () => {
    const message = "Duplicate entry '2147483647' for key 'PRIMARY'"
    for (const maxId of [2_147_483_646n, 2_147_483_647n]) {
      const granted = grant(statementsWith([], 0, 1062, message), ['u'], [], maxId, AGREEMENT)
      expect(await errorOf(granted)).toMatchObject({ code: 'EXHAUSTED' })
    }
  })
})
