import { SequenceError } from '../../core/errors.ts'
import type { CounterDemand, CounterGrant, CounterKey, CounterRow } from '../../core/store.ts'
import { columnsOfRow, moveCounter, rowOfColumns } from '../counter.ts'
import type { DatabaseFile, Prepare } from './file.ts'

const SELECT = `
SELECT counter, update_time AS updateTime FROM counter WHERE node_offset = ? AND rule_name = ? AND app_name = ?`
const UPSERT = `
INSERT INTO counter (node_offset, rule_name, app_name, counter, update_time) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET counter = excluded.counter, update_time = excluded.update_time`

/** The counters in SQLite: each call is one transaction, as the methods of `CounterStore` say. */
export class SqliteCounters {
  readonly #file: DatabaseFile

  constructor(file: DatabaseFile) {
    this.#file = file
  }

  reserve(key: CounterKey, demand: CounterDemand): CounterGrant {
    const outcome = this.#file.transaction((prepare) => {
      const move = moveCounter(key, rowOf(prepare, key), demand)
      if (move.row !== undefined) prepare(UPSERT).run(...columnsOf(key), ...columnsOfRow(move.row))
      return move.outcome
    })
    if (outcome instanceof SequenceError) throw outcome
    return outcome
  }

  read(key: CounterKey): CounterRow | undefined {
    return this.#file.transaction((prepare) => rowOf(prepare, key))
  }
}

function rowOf(prepare: Prepare, key: CounterKey): CounterRow | undefined {
  const row = prepare(SELECT).get(...columnsOf(key)) as { counter: bigint; updateTime: bigint } | undefined
  return row && rowOfColumns(row.counter, Number(row.updateTime))
}

function columnsOf({ nodeOffset, ruleName, appName }: CounterKey): [number, string, string] {
  return [nodeOffset, ruleName, appName]
}
