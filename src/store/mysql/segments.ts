import { SequenceError, unknownSequence } from '../../core/errors.ts'
import { ID_END } from '../../core/id.ts'
import type { Lease, LeaseSource } from '../../core/lease.ts'
import type { SegmentRow, SegmentStore } from '../../core/store.ts'
import {
  advancedBy,
  floorKey,
  leaseOf,
  type Marks,
  type Segment,
  segmentRefusalFloor,
  segmentRegressed,
  sequenceExists,
  startAbove,
} from '../segment.ts'
import { isColumnFullError, isDuplicateKeyError, isTextError } from './errors.ts'
import { recordLeases, SELECT_LEASED_END } from './lease-records.ts'
import type { Preparation } from './preparation.ts'
import type { Row, Session } from './session.ts'
import type { Transactions } from './transactions.ts'

// FOR UPDATE: until the COMMIT no other instance, and no older server, can move this row.
const SELECT = 'SELECT app_tag AS name, max_id AS maxId, step FROM segments WHERE app_tag = ? FOR UPDATE'
/** Without a lock: INSERT leaves its own on a row that is there, and of several that want a greater one each waits for all others. */
const NAME_OF = 'SELECT app_tag AS name FROM segments WHERE app_tag = ?'
const FLOOR = '(SELECT value FROM seqsvr_meta WHERE name = ?) AS floor'
const MARKS = `SELECT ${FLOOR}, (${SELECT_LEASED_END}) AS leasedEnd`
const MARKS_UNRECORDED = `SELECT ${FLOOR}, 0 AS leasedEnd`
const LIST =
  'SELECT app_tag AS name, max_id AS maxId, step FROM segments WHERE app_tag > ? ORDER BY app_tag LIMIT ?'
const INSERT = 'INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)'
const UPDATE = 'UPDATE segments SET max_id = ? WHERE app_tag = ?'
const DELETE = 'DELETE FROM segments WHERE app_tag = ?'
const LIFT_FLOOR = 'DELETE FROM seqsvr_meta WHERE name = ?'
const RAISE_FLOOR = `
INSERT INTO seqsvr_meta (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = GREATEST(value, ?)`

/** The named sequences, rows of `segments`: that of this schema, or an older server's with narrower columns. */
export class MysqlSegments implements SegmentStore {
  readonly #transactions: Transactions
  readonly #preparation: Preparation
  readonly #recorder: string | undefined

  /** `recorder` is this instance's name, for the record of its leases; undefined where there is none. */
  constructor(transactions: Transactions, preparation: Preparation, recorder: string | undefined) {
    this.#transactions = transactions
    this.#preparation = preparation
    this.#recorder = recorder
  }

  source(name: string): LeaseSource {
    return {
      lease: async (ids, seenEnd) => {
        const outcome = await this.#run(async (session) => {
          const segment = await this.#find(session, name)
          if (segment === undefined) {
            // Made again, it must not repeat what this instance has seen of it (I1).
            if (seenEnd > 0n) await raiseFloor(session, name, seenEnd)
            return unknownSequence(name)
          }
          const floor = segmentRefusalFloor(segment, seenEnd)
          if (floor === undefined) {
            const leases = [await leaseFrom(session, segment, ids)]
            if (this.#recorder !== undefined) await recordLeases(session, name, leases, this.#recorder)
            return leases
          }
          if (floor > segment.floor) await raiseFloor(session, name, floor)
          return segmentRegressed(segment, floor)
        })
        if (outcome instanceof SequenceError) throw outcome
        return outcome
      },
    }
  }

  existing(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#run(async (session) => {
      const stored = new Set((await existingRows(session, names)).map(nameOf))
      return new Set(names.filter((name) => stored.has(name)))
    })
  }

  list(after: string, limit: number): Promise<readonly SegmentRow[]> {
    return this.#run(async (session) => (await session.rows(LIST, [after, limit])).map(segmentRowOf))
  }

  create(name: string, start: bigint, step: number): Promise<void> {
    return this.#run(async (session) => {
      try {
        await session.run(INSERT, [name, start, step])
      } catch (error) {
        throw (await this.#refusalToCreate(session, name, error)) ?? error
      }
      // Read behind the lock that the row brings: what retires this name at the same time has recorded it by now.
      const first = startAbove(await this.#marksOf(session, name), start)
      if (first > start) await session.run(UPDATE, [first, name])
      await liftFloor(session, name)
    })
  }

  advanceTo(name: string, start: bigint): Promise<bigint> {
    return this.#run(async (session) => {
      const segment = await this.#known(session, name)
      const to = segment.maxId < start ? await moveTo(session, segment, start) : segment.maxId
      if (to >= segment.floor) await liftFloor(session, name)
      return to
    })
  }

  advanceBy(name: string, ids: bigint): Promise<bigint> {
    return this.#run(async (session) => {
      const segment = await this.#known(session, name)
      const to = await moveTo(session, segment, advancedBy(segment, ids))
      await liftFloor(session, name)
      return to
    })
  }

  retire(name: string): Promise<void> {
    return this.#run(async (session) => {
      const { maxId } = await this.#known(session, name)
      await raiseFloor(session, name, maxId)
      await session.run(DELETE, [name])
    })
  }

  async #run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.#preparation.tables()
    return this.#transactions.run(work)
  }

  async #find(session: Session, name: string): Promise<Segment | undefined> {
    const row = await rowOf(session, name)
    return row && { ...row, ...(await this.#marksOf(session, name)) }
  }

  async #known(session: Session, name: string): Promise<Segment> {
    const segment = await this.#find(session, name)
    if (segment === undefined) throw unknownSequence(name)
    return segment
  }

  async #marksOf(session: Session, name: string): Promise<Marks> {
    const [row] =
      this.#recorder === undefined
        ? await session.rows(MARKS_UNRECORDED, [floorKey(name)])
        : await session.rows(MARKS, [floorKey(name), name])
    return { floor: BigInt(row?.floor ?? 0), leasedEnd: BigInt(row?.leasedEnd ?? 0) }
  }

  async #refusalToCreate(session: Session, name: string, error: unknown): Promise<SequenceError | undefined> {
    if (isTextError(error))
      return new SequenceError(
        'BAD_REQUEST',
        `the column segments.app_tag cannot hold the name ${JSON.stringify(name)}: shorten it, or widen the column`,
        { cause: error },
      )
    if (isColumnFullError(error)) return exhaustedColumn(name)
    if (!isDuplicateKeyError(error)) return undefined
    const [row] = await session.rows(NAME_OF, [name])
    if (row === undefined || nameOf(row) === name) return sequenceExists(name)
    return new SequenceError(
      'SEQUENCE_EXISTS',
      `the collation of segments.app_tag takes ${JSON.stringify(name)} for ${JSON.stringify(nameOf(row))}, which exists: ` +
        'ALTER TABLE segments MODIFY app_tag VARBINARY(512) NOT NULL tells them apart',
    )
  }
}

function existingOf(names: number): string {
  return `SELECT app_tag AS name FROM segments WHERE app_tag IN (${new Array(names).fill('?').join()})`
}

/** Rows of at least those of these names that exist. A name that the column cannot hold spoils the question for all. */
async function existingRows(session: Session, names: readonly string[]): Promise<Row[]> {
  try {
    return await session.rows(existingOf(names.length), names)
  } catch (error) {
    if (!isTextError(error)) throw error
    if (names.length === 1) return []
  }
  const rows: Row[] = []
  for (const name of names) rows.push(...(await existingRows(session, [name])))
  return rows
}

/** The row of exactly this name: a column's collation may take other names for it. */
async function rowOf(session: Session, name: string): Promise<SegmentRow | undefined> {
  const rows = (await rowsLike(session, name)).filter((row) => nameOf(row) === name)
  if (rows.length > 1)
    throw new SequenceError(
      'STORE_MISCONFIGURED',
      `segments has ${rows.length} rows for ${JSON.stringify(name)}: make app_tag its primary key`,
    )
  return rows[0] && segmentRowOf(rows[0])
}

async function rowsLike(session: Session, name: string): Promise<Row[]> {
  try {
    return await session.rows(SELECT, [name])
  } catch (error) {
    if (isTextError(error)) return []
    throw error
  }
}

/** Leases what is asked for, or a single step where the column has no room for more. */
async function leaseFrom(session: Session, segment: Segment, ids: number): Promise<Lease> {
  for (const wanted of [ids, 1]) {
    const lease = leaseOf(segment, wanted)
    try {
      const end = await moveTo(session, segment, lease.end)
      if (end > lease.start) return { start: lease.start, end }
    } catch (error) {
      if (!(error instanceof SequenceError) || error.code !== 'EXHAUSTED') throw error
    }
  }
  throw exhaustedColumn(segment.name)
}

/**
 * Sets `max_id` and resolves with what it is then: a signed column ends at 2^63-1, one short of the id space, so that
 * its very last id cannot be leased.
 */
async function moveTo(
  session: Session,
  { name, maxId }: Pick<Segment, 'name' | 'maxId'>,
  to: bigint,
): Promise<bigint> {
  try {
    await session.run(UPDATE, [to, name])
    return to
  } catch (error) {
    if (!isColumnFullError(error)) throw error
    if (to !== ID_END || maxId >= ID_END - 1n) throw exhaustedColumn(name)
    return moveTo(session, { name, maxId }, ID_END - 1n)
  }
}

async function raiseFloor(session: Session, name: string, floor: bigint): Promise<void> {
  await session.run(RAISE_FLOOR, [floorKey(name), floor, floor])
}

async function liftFloor(session: Session, name: string): Promise<void> {
  await session.run(LIFT_FLOOR, [floorKey(name)])
}

function exhaustedColumn(name: string): SequenceError {
  return new SequenceError(
    'EXHAUSTED',
    `the column segments.max_id is full for ${JSON.stringify(name)}. ` +
      'Widen it: ALTER TABLE segments MODIFY max_id BIGINT UNSIGNED NOT NULL',
  )
}

export function segmentRowOf(row: Row): SegmentRow {
  const name = nameOf(row)
  return { name, maxId: integerOf(row, 'maxId', name), step: integerOf(row, 'step', name) }
}

/** What a column of an older table may hold besides whole numbers: NULL, or a decimal. */
function integerOf(row: Row, column: 'maxId' | 'step', name: string): bigint {
  const text = String(row[column])
  if (/^-?\d+$/.test(text)) return BigInt(text)
  throw new SequenceError(
    'STORE_MISCONFIGURED',
    `the row of ${JSON.stringify(name)} in segments has ${column === 'step' ? 'step' : 'max_id'} ${text}: it must be a whole number; mend the row`,
  )
}

/** Binary columns come as bytes. */
function nameOf(row: Row): string {
  return String(row.name)
}
