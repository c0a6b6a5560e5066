import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { SequenceError } from '../../core/errors.ts'
import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import { ID_END } from '../../core/id.ts'
import { STEP_MAX } from '../../core/limits.ts'
import { GENERATOR_NAME, type GeneratorAgreement } from '../../core/store.ts'
import {
  judgeCounters,
  judgeGenerator,
  judgeGreatestSegment,
  judgeSegmentFloors,
  judgeSegmentRows,
  type Rate,
  storeFindings,
} from '../inspection.ts'
import type { ColumnValue } from './column.ts'
import type { Driver, DriverDatabase } from './driver.ts'
import { failureOf } from './failure.ts'
import { type Prepare, preparing } from './file.ts'
import { GREATEST, INTEGER_MAX } from './generator.ts'
import { leasedEndOf } from './lease-records.ts'

export interface InspectionOptions {
  /** An absolute path. */
  readonly file: string
  readonly schema: 'auto' | 'manual'
  /** How long to wait for another connection's transaction. */
  readonly busyTimeoutMs: number
  readonly agreement: GeneratorAgreement
  /** Whether leases are recorded, and leases on record heeded. */
  readonly provenance: boolean
}

/** What is looked at in the file of the embedded store. */
export const sqliteFindings = {
  'file-journal': {
    severities: ['warning'],
    why: 'seqsvr commits through a journal that is truncated and synced. In WAL mode another program may lose commits, and SQLite below 3.51.3 may damage the file; a journal of an unfinished transaction must be rolled back before anything is read',
  },
  'file-integrity': {
    severities: ['danger'],
    why: 'a damaged file may have forgotten leases, and gives them again',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf({ ...storeFindings, ...sqliteFindings })

const NEEDED = ['generator_table', 'segments', 'counter', 'seqsvr_meta']
const LEASES = 'seqsvr_leases'

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
const META = "SELECT name, value FROM seqsvr_meta WHERE name LIKE 'generator.%'"
const NAMES_SHOWN_MAX = 3
const SEGMENTS = 'SELECT app_tag AS name FROM segments WHERE'
const HAS_FLOOR = "EXISTS (SELECT 1 FROM seqsvr_meta WHERE name = 'segment.floor/' || app_tag)"
const IS_BELOW = `max_id < (
  SELECT end_id FROM seqsvr_leases WHERE sequence = app_tag ORDER BY start_id DESC LIMIT 1)`
const IS_ABSURD = `step < 1 OR step > ${STEP_MAX} OR max_id < 0 OR max_id > ${ID_END}`
const GREATEST_SEGMENT = 'SELECT app_tag AS name, max_id AS maxId FROM segments ORDER BY max_id DESC LIMIT 1'
const REFUSED_COUNTERS = "SELECT rule_name || ' of ' || app_name AS name FROM counter WHERE counter < 0"
const RATE = `
SELECT sum(end_id - start_id) AS ids, (? - min(time_ms)) / 1000 AS seconds
FROM (SELECT * FROM seqsvr_leases WHERE sequence = ? ORDER BY start_id DESC LIMIT 1000)`

/** Offset of the "file format read version" in the header, https://sqlite.org/fileformat2.html: 2 means WAL. */
const READ_VERSION_OFFSET = 19
const WAL_VERSION = 2

/** Looks at the database, as `Store.inspect` promises: reads it, and makes no file. */
export function inspectDatabase(driver: Driver, options: InspectionOptions): Finding[] {
  const { file, busyTimeoutMs } = options
  if (!existsSync(file)) return [judgeTables([], options)]
  const findings: Finding[] = []
  let database: DriverDatabase | undefined
  try {
    findings.push(judgeJournal(file))
    const startedMs = performance.now()
    database = new driver(readOnlyAddress(file), { readOnly: true })
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; BEGIN`)
    const prepare = preparing(database)
    const version = (prepare('SELECT sqlite_version() AS version').get() as { version: string }).version
    const tables = (prepare(TABLES).all() as { name: string }[]).map(({ name }) => name)
    const tookMs = (performance.now() - startedMs).toFixed(1)
    findings.push(
      ok('store-reachable', `SQLite ${version} reads ${file} in ${tookMs} ms`),
      judgeIntegrity(prepare, file),
      judgeTables(tables, options),
    )
    findings.push(...judgeContent(prepare, tables, options))
  } catch (error) {
    findings.push(unreachable(failureOf(error, file)))
  } finally {
    database?.close()
  }
  return findings
}

/** Even a reader makes files in WAL mode. Without a log nobody writes, so that the file alone can be read as it is. */
function readOnlyAddress(file: string): string {
  return isWal(file) && !existsSync(`${file}-wal`) ? `${pathToFileURL(file)}?immutable=1` : file
}

function isWal(file: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const header = new Uint8Array(READ_VERSION_OFFSET + 1)
    readSync(descriptor, header, 0, header.length, 0)
    return header[READ_VERSION_OFFSET] === WAL_VERSION
  } finally {
    closeSync(descriptor)
  }
}

function judgeJournal(file: string): Finding {
  if (isWal(file))
    return bad(
      'file-journal',
      'warning',
      `${file} is in WAL mode`,
      'end the program that uses it so; the next start of seqsvr takes it out of that mode',
    )
  const length = statSync(`${file}-journal`, { throwIfNoEntry: false })?.size ?? 0
  return ok(
    'file-journal',
    length === 0
      ? 'no transaction is unfinished'
      : 'a transaction is under way, or was cut off and is rolled back next',
  )
}

/** Why the database cannot be looked at. */
export function unreachable(error: SequenceError): Finding {
  return bad(
    'store-reachable',
    'failed',
    `${error.code}: ${error.message}`,
    'see that the file can be read, and check again for what could not be looked at; a journal that a crash left is rolled back by the next start of seqsvr',
  )
}

function judgeIntegrity(prepare: Prepare, file: string): Finding {
  const problems = problemsOf(prepare, file)
  if (problems.length === 0) return ok('file-integrity', 'the file is whole')
  return bad(
    'file-integrity',
    'danger',
    problems.join('; ').replaceAll('\n', ' '),
    'stop the instances, restore the file from a backup, and `seqsvr sequence advance --all --by N` past every id in use',
  )
}

function problemsOf(prepare: Prepare, file: string): string[] {
  try {
    const rows = prepare('PRAGMA quick_check(5)').all() as { quick_check: string }[]
    return rows.map(({ quick_check: problem }) => problem).filter((problem) => problem !== 'ok')
  } catch (error) {
    return [failureOf(error, file).message]
  }
}

function judgeTables(
  tables: readonly string[],
  { file, schema, agreement, provenance }: InspectionOptions,
): Finding {
  const needed = provenance ? [...NEEDED, LEASES] : NEEDED
  const missing = needed.filter((name) => !tables.includes(name))
  if (missing.length === 0) return ok('tables', 'all tables are there')
  if (schema === 'manual')
    return bad(
      'tables',
      'failed',
      `STORE_MISCONFIGURED: ${existsSync(file) ? `missing are ${missing.join(', ')}` : `there is no file ${file}`}`,
      'run `seqsvr init`, or set schema to auto',
    )
  return ok(
    'tables',
    tables.includes('seqsvr_meta')
      ? `\`seqsvr serve\` or \`seqsvr init\` makes what is missing (${missing.join(', ')})`
      : `SQLite in ${file} is empty: \`seqsvr serve\` or \`seqsvr init\` makes what is missing and agrees on step ${agreement.step}`,
  )
}

function judgeContent(prepare: Prepare, tables: readonly string[], options: InspectionOptions): Finding[] {
  if (!NEEDED.every((name) => tables.includes(name))) return []
  const hasLeases = options.provenance && tables.includes(LEASES)
  const meta = new Map(
    (prepare(META).all() as { name: string; value: bigint }[]).map(({ name, value }) => [name, value]),
  )
  const { lastId } = prepare(GREATEST).get() as { lastId: bigint }
  const refused = namesOf(prepare, `${SEGMENTS} ${HAS_FLOOR}${hasLeases ? ` OR ${IS_BELOW}` : ''}`)
  const absurd = namesOf(prepare, `${SEGMENTS} ${IS_ABSURD}`)
  const greatest = prepare(GREATEST_SEGMENT).get() as { name: string; maxId: ColumnValue } | undefined
  const rate = (sequence: string) => (hasLeases ? rateOf(prepare, sequence) : undefined)
  const counters = namesOf(prepare, REFUSED_COUNTERS)
  return [
    ...judgeGenerator(
      {
        step: meta.get('generator.step'),
        first: meta.get('generator.first'),
        floor: meta.get('generator.floor'),
        maxId: lastId,
        leasedEnd: hasLeases ? leasedEndOf(prepare, GENERATOR_NAME) : 0n,
        idMax: INTEGER_MAX,
        rate: rate(GENERATOR_NAME),
      },
      options.agreement,
    ),
    judgeSegmentFloors(refused.names, refused.count),
    judgeSegmentRows(absurd.names, absurd.count),
    ...(greatest === undefined
      ? []
      : judgeGreatestSegment({ ...greatest, maxId: BigInt(greatest.maxId) }, ID_END, rate(greatest.name))),
    judgeCounters(counters.names, counters.count),
  ]
}

function namesOf(prepare: Prepare, sql: string): { names: string[]; count: number } {
  const rows = prepare(`${sql} ORDER BY 1 LIMIT ${NAMES_SHOWN_MAX}`).all() as { name: string }[]
  const { count } = prepare(`SELECT count(*) AS count FROM (${sql})`).get() as { count: bigint }
  return { names: rows.map(({ name }) => name), count: Number(count) }
}

function rateOf(prepare: Prepare, sequence: string): Rate | undefined {
  const row = prepare(RATE).get(Date.now(), sequence) as { ids: bigint | null; seconds: bigint | null }
  return row.ids === null ? undefined : { ids: BigInt(row.ids), seconds: Number(row.seconds) }
}
