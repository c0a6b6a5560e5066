import { SequenceError } from '../../core/errors.ts'
import type { CounterDemand, CounterGrant, CounterKey, CounterRow, CounterStore } from '../../core/store.ts'
import { columnsOfRow, moveCounter, rowOfColumns } from '../counter.ts'
import { isColumnFullError, isTextError } from './errors.ts'
import type { Preparation } from './preparation.ts'
import type { Session } from './session.ts'
import type { Transactions } from './transactions.ts'

const WHERE = 'WHERE node_offset = ? AND rule_name = ? AND app_name = ?'
const SELECT = `SELECT counter, update_time AS updateTime FROM counter ${WHERE}`
const INSERT =
  'INSERT INTO counter (counter, update_time, node_offset, rule_name, app_name) VALUES (?, ?, ?, ?, ?)'
const UPDATE = `UPDATE counter SET counter = ?, update_time = ? ${WHERE}`

/**
 * The counters, rows of `counter`: that of this schema, or the older server's with narrower columns. Where its collation
 * takes two names for one, they share a row and so a counter, which repeats nothing.
 */
export class MysqlCounters implements CounterStore {
  readonly #transactions: Transactions
  readonly #preparation: Preparation

  constructor(transactions: Transactions, preparation: Preparation) {
    this.#transactions = transactions
    this.#preparation = preparation
  }

  async reserve(key: CounterKey, demand: CounterDemand): Promise<CounterGrant> {
    await this.#preparation.tables()
    const outcome = await this.#transactions.run(async (session) => {
      // FOR UPDATE: until the COMMIT no other instance, and no older server, can move this row.
      const row = await rowOf(session, key, 'FOR UPDATE')
      const move = moveCounter(key, row, demand)
      if (move.row !== undefined)
        await session
          .run(row === undefined ? INSERT : UPDATE, [...columnsOfRow(move.row), ...columnsOf(key)])
          .catch((error: unknown) => {
            throw refusalOf(error, key) ?? error
          })
      return move.outcome
    })
    if (outcome instanceof SequenceError) throw outcome
    return outcome
  }

  async read(key: CounterKey): Promise<CounterRow | undefined> {
    await this.#preparation.tables()
    return this.#transactions.run((session) => rowOf(session, key))
  }
}

async function rowOf(session: Session, key: CounterKey, lock = ''): Promise<CounterRow | undefined> {
  const [row] = await session.rows(`${SELECT} ${lock}`, columnsOf(key)).catch((error: unknown) => {
    throw refusalOf(error, key) ?? error
  })
  return row && rowOfColumns(BigInt(row.counter), Number(row.updateTime))
}

function columnsOf({ nodeOffset, ruleName, appName }: CounterKey): [number, string, string] {
  return [nodeOffset, ruleName, appName]
}

function refusalOf(error: unknown, { ruleName, appName }: CounterKey): SequenceError | undefined {
  if (isTextError(error))
    return new SequenceError(
      'BAD_REQUEST',
      `the columns counter.rule_name and counter.app_name cannot hold ${JSON.stringify(ruleName)} and ${JSON.stringify(appName)}: ` +
        'shorten the name, or widen the column',
      { cause: error },
    )
  if (isColumnFullError(error))
    return new SequenceError(
      'EXHAUSTED',
      'a column of the table counter is full. Widen them: ' +
        'ALTER TABLE counter MODIFY counter BIGINT NOT NULL DEFAULT 0, MODIFY update_time BIGINT NOT NULL DEFAULT 0',
      { cause: error },
    )
  return undefined
}
