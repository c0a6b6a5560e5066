import { SequenceError } from '../../core/errors.ts'
import type { Lease } from '../../core/lease.ts'
import { GENERATOR_NAME, type GeneratorAgreement } from '../../core/store.ts'
import { checkAgreement, counterLost, type GeneratorState, leasesOf } from '../generator.ts'
import { isColumnFullError, isDuplicateKeyError } from './errors.ts'
import { SELECT_LEASED_END } from './lease-records.ts'
import type { Session } from './session.ts'

/** What a grant needs of a session. */
export type Statements = Pick<Session, 'rows' | 'run'>

/** One statement, so that all of it is of one moment and costs one round trip. */
const SELECT_STATE = `
SELECT
  (SELECT MAX(id) FROM generator_table) AS maxId,
  (SELECT value FROM seqsvr_meta WHERE name = 'generator.step') AS step,
  (SELECT value FROM seqsvr_meta WHERE name = 'generator.first') AS first,
  (SELECT value FROM seqsvr_meta WHERE name = 'generator.floor') AS floor`

/** The same with the end of the greatest lease on record. */
const SELECT_STATE_AND_LEASED_END = `${SELECT_STATE}, (${SELECT_LEASED_END}) AS leasedEnd`

/** What a transaction finds before it grants anything, and the end of the greatest lease on record: 0n where there is none. */
export interface MysqlGeneratorState extends GeneratorState {
  readonly leasedEnd: bigint
}

const DELETE_ROW = 'DELETE FROM generator_table WHERE id = ?'

/** The greatest values of MEDIUMINT, INT and BIGINT, signed and unsigned: an auto-increment counter stays there. */
const COLUMN_MAXIMA = new Set([24n, 32n, 64n].flatMap((bits) => [2n ** (bits - 1n) - 1n, 2n ** bits - 1n]))

/**
 * Grants one lease for each of `uuids`: what a lease's transaction does once nothing forbids it.
 * `maxId` is the greatest lease number in the same transaction.
 * `rows` are ids of rows that this instance inserted before and needs no longer. Resolves with the leases and
 * the id of the one row that stays, which is the greatest.
 *
 * Throws REGRESSED (I3) when the counter has gone back, EXHAUSTED (I6) at the end of its column. The transaction must
 * then be rolled back: REPLACE deleted rows of others without a word.
 *
 * The uuids are new ones and rows are deleted by their id, so that this locks nothing that another instance needs.
 * REPLACE with a uuid that is in the table locks the gaps around it: 8 instances that lease as fast as they can then
 * lose every fifth transaction to a deadlock, and one that freezes here holds up its neighbours.
 */
export async function grant(
  statements: Statements,
  uuids: readonly string[],
  rows: readonly bigint[],
  maxId: bigint,
  agreement: GeneratorAgreement,
): Promise<{ leases: Lease[]; row: bigint }> {
  const ns = await replace(statements, uuids, maxId, agreement)
  const leases = leasesOf(ns, maxId, agreement)
  const row = ns.pop() as bigint
  // One by one: with several ids in a statement the server may scan the table, and lock every row in it.
  for (const id of [...rows, ...ns]) await statements.run(DELETE_ROW, [id])
  return { leases, row }
}

/**
 * Reads what forbids or bounds a lease, with the leases on record where they are recorded. Throws STEP_MISMATCH (I7), and
 * STORE_MISCONFIGURED when the agreement has vanished.
 */
export async function readState(
  statements: Statements,
  agreement: GeneratorAgreement,
  recorded: boolean,
): Promise<MysqlGeneratorState> {
  const [state] = recorded
    ? await statements.rows(SELECT_STATE_AND_LEASED_END, [GENERATOR_NAME])
    : await statements.rows(SELECT_STATE)
  if (state?.step == null || state.first == null)
    throw new SequenceError(
      'STORE_MISCONFIGURED',
      'the agreement on the step has vanished from seqsvr_meta: was the database restored?',
    )
  checkAgreement({ step: BigInt(state.step), first: BigInt(state.first) }, agreement)
  return {
    maxId: BigInt(state.maxId ?? 0),
    floor: BigInt(state.floor ?? 0),
    leasedEnd: BigInt(state.leasedEnd ?? 0),
  }
}

/**
 * Inserts a row for each uuid and resolves with their ids, rising. Throws where an id was in use: of a counter that
 * went back (I3), or of one at the end of its column, which MySQL gives again and again (I6). Some servers then replace the
 * row, and MySQL refuses to.
 */
async function replace(
  statements: Statements,
  uuids: readonly string[],
  maxId: bigint,
  agreement: GeneratorAgreement,
): Promise<bigint[]> {
  const rows = uuids.map(() => '(?)').join()
  const { affectedRows } = await statements
    .run(`REPLACE INTO generator_table (uuid) VALUES ${rows}`, uuids)
    .catch((error: unknown) => {
      if (isColumnFullError(error)) throw columnFull(error)
      if (isDuplicateKeyError(error)) throw idInUse(idOf(error) ?? maxId, maxId, agreement, error)
      throw error
    })
  // Read back: ids of one statement are not always consecutive, and the driver reports only one of them.
  const list = uuids.map(() => '?').join()
  const inserted = await statements.rows(
    `SELECT id FROM generator_table WHERE uuid IN (${list}) ORDER BY id`,
    uuids,
  )
  const ns = inserted.map((row) => BigInt(row.id))
  // A row that was replaced counts twice. No uuid was in use, so that it was one of the same id.
  if (affectedRows === uuids.length) return ns
  throw idInUse((COLUMN_MAXIMA.has(ns.at(-1) as bigint) ? ns.at(-1) : ns[0]) as bigint, maxId, agreement)
}

/** The id of a row that MySQL does not replace, since the counter gave it: `Duplicate entry '7' for key 'PRIMARY'`, in any language. */
function idOf(error: unknown): bigint | undefined {
  const id = /'(\d+)'/.exec((error as Error).message)?.[1]
  return id === undefined ? undefined : BigInt(id)
}

/** The counter gave `id`, which a row has. */
function idInUse(id: bigint, maxId: bigint, agreement: GeneratorAgreement, cause?: unknown): SequenceError {
  return COLUMN_MAXIMA.has(id) ? columnFull(cause) : counterLost(id, maxId, agreement)
}

function columnFull(cause?: unknown): SequenceError {
  return new SequenceError(
    'EXHAUSTED',
    'the column generator_table.id is full. ' +
      'Widen it: ALTER TABLE generator_table MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT',
    { cause },
  )
}
