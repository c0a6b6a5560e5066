import { type Finding, findingsOf } from '../../core/finding.ts'
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
import { TABLE_MISSING_ADVICE } from './errors.ts'
import { type Ask, needed, rowsOf } from './inspection-questions.ts'
import { inspectRights } from './inspection-rights.ts'
import { type ColumnFacts, greatestOf, judgeCounter, judgeTables } from './inspection-tables.ts'
import { SELECT_LEASED_END } from './lease-records.ts'
import { TABLES } from './preparation.ts'
import type { Row } from './session.ts'

export interface SchemaInspectionOptions {
  readonly ask: Ask
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  /** Whether leases are recorded, and leases on record heeded. */
  readonly provenance: boolean
  /** Names the server. */
  readonly description: string
  readonly isTidb: boolean
}

const { ok, bad } = findingsOf(storeFindings)

const LEASES = 'seqsvr_leases'

const SELECT_MAX_ID = 'SELECT MAX(id) AS maxId FROM generator_table'

const SELECT_META = "SELECT name, value FROM seqsvr_meta WHERE name LIKE 'generator.%'"

const SELECT_TABLES = `
SELECT table_name AS name, engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE()`

const SELECT_COLUMNS = `
SELECT table_name AS tableName, column_name AS name, data_type AS dataType, column_type AS columnType,
  collation_name AS collation, column_key AS columnKey, extra AS extra
FROM information_schema.columns WHERE table_schema = DATABASE()`

const NAMES_SHOWN_MAX = 3

const NAME = 'CAST(app_tag AS CHAR CHARACTER SET utf8mb4) AS name'

const SELECT_GREATEST = `SELECT ${NAME}, max_id AS maxId FROM segments ORDER BY max_id DESC LIMIT 1`

const ABSURD = `FROM segments WHERE step < 1 OR step > ${STEP_MAX} OR max_id < 0 OR max_id > ${ID_END}`

const REFUSED = `
FROM segments WHERE EXISTS (
  SELECT 1 FROM seqsvr_meta WHERE seqsvr_meta.name = CONCAT('segment.floor/', CAST(app_tag AS BINARY)))`

const REFUSED_COUNTERS = 'FROM counter WHERE counter < 0'

const COUNTER_NAME = "CAST(CONCAT(rule_name, ' of ', app_name) AS CHAR CHARACTER SET utf8mb4) AS name"

/** With those that stand below what they have on record. */
const REFUSED_OR_BELOW = `${REFUSED} OR max_id < (
  SELECT end_id FROM seqsvr_leases WHERE sequence = CAST(app_tag AS BINARY) ORDER BY start_id DESC LIMIT 1)`

/** The latest leases on record of one sequence, whose time tells how fast it is. */
const SELECT_RATE = `
SELECT SUM(end_id - start_id) AS ids, UNIX_TIMESTAMP() - MIN(time_ms) DIV 1000 AS seconds
FROM (SELECT * FROM seqsvr_leases WHERE sequence = ? ORDER BY start_id DESC LIMIT 1000) AS latest`

/** Less time than that says nothing of a rate. */
const RATE_SECONDS_MIN = 60

/** What a look at the tables brings. */
export interface SchemaReport {
  readonly findings: readonly Finding[]
  /** What SHOW CREATE TABLE says of generator_table, if there is one. */
  readonly generatorTable?: string | undefined
}

/** Looks at the tables and at what is in them. */
export class SchemaInspection {
  readonly #options: SchemaInspectionOptions
  readonly #ask: Ask

  constructor(options: SchemaInspectionOptions) {
    this.#options = options
    this.#ask = options.ask
  }

  /** Rejects with STORE_UNAVAILABLE where the server goes away meanwhile. */
  async run(): Promise<SchemaReport> {
    const { provenance, schema } = this.#options
    const tables = provenance ? [...TABLES, LEASES] : TABLES
    const existing = needed(await this.#ask(SELECT_TABLES))
      .map(({ name, engine }) => ({ name: String(name), engine: String(engine) }))
      .filter(({ name }) => tables.includes(name))
    const names = new Set(existing.map(({ name }) => name))
    const missing = tables.filter((name) => !names.has(name))
    const columns = needed(await this.#ask(SELECT_COLUMNS)).map(columnOf)
    const rights = await inspectRights(this.#ask, names, schema === 'auto' ? missing : [])
    const findings = [...judgeTables(existing, columns), rights]
    // Without rights the tables look as if they were empty, and what is missing cannot be asked for.
    if (findings.some(({ severity }) => severity === 'failed')) return { findings }

    const generator = await this.#generator(names, missing, columns)
    findings.push(...generator.findings)
    if (names.has('segments') && names.has('seqsvr_meta'))
      findings.push(...(await this.#segments(names, columns)))
    if (names.has('counter')) {
      const refused = await this.#names(REFUSED_COUNTERS, COUNTER_NAME)
      findings.push(judgeCounters(refused.names, refused.count))
    }
    return { ...generator, findings }
  }

  async #generator(
    names: ReadonlySet<string>,
    missing: readonly string[],
    columns: readonly ColumnFacts[],
  ): Promise<SchemaReport> {
    const { agreement, isTidb } = this.#options
    const isMade = names.has('generator_table')
    const [maxIdRow] = isMade ? needed(await this.#ask(SELECT_MAX_ID)) : []
    const maxId = BigInt(maxIdRow?.maxId ?? 0)
    const meta = new Map<string, bigint>(
      (names.has('seqsvr_meta') ? needed(await this.#ask(SELECT_META)) : []).map(({ name, value }) => [
        String(name),
        BigInt(value),
      ]),
    )
    const findings = [this.#judgeMissing(missing, meta.has('generator.step'))]
    if (!isMade) return { findings }

    // Read after the greatest id, so that the counter is never the older of the two.
    const [created] = rowsOf(await this.#ask('SHOW CREATE TABLE generator_table'))
    const generatorTable = created && String(created['Create Table'])
    const idColumn = columns.find(({ table, name }) => table === 'generator_table' && name === 'id')
    const idMax = idColumn === undefined ? ID_END : greatestOf(idColumn)
    // TiDB shows the start of its next cache. At the end of its column MySQL's counter stays where it is.
    const isCounterShown = !isTidb && generatorTable !== undefined && maxId < idMax
    return {
      generatorTable,
      findings: [
        ...findings,
        ...(isCounterShown ? [judgeCounter(generatorTable, maxId)] : []),
        ...judgeGenerator(
          {
            step: meta.get('generator.step'),
            first: meta.get('generator.first'),
            floor: meta.get('generator.floor'),
            maxId,
            leasedEnd: names.has(LEASES) ? await this.#leasedEnd() : 0n,
            idMax,
            rate: names.has(LEASES) ? await this.#rate(GENERATOR_NAME) : undefined,
          },
          agreement,
        ),
      ],
    }
  }

  async #segments(names: ReadonlySet<string>, columns: readonly ColumnFacts[]): Promise<Finding[]> {
    const refused = await this.#names(names.has(LEASES) ? REFUSED_OR_BELOW : REFUSED)
    const absurd = await this.#names(ABSURD)
    const findings = [
      judgeSegmentFloors(refused.names, refused.count),
      judgeSegmentRows(absurd.names, absurd.count),
    ]
    const [greatest] = needed(await this.#ask(SELECT_GREATEST))
    const column = columns.find(({ table, name }) => table === 'segments' && name === 'max_id')
    if (greatest === undefined || column === undefined) return findings
    const name = String(greatest.name)
    const rate = names.has(LEASES) ? await this.#rate(name) : undefined
    return [
      ...findings,
      ...judgeGreatestSegment({ name, maxId: BigInt(greatest.maxId) }, greatestOf(column), rate),
    ]
  }

  /** Some names of `from`, and how many there are. */
  async #names(from: string, name = NAME): Promise<{ names: string[]; count: number }> {
    const rows = needed(await this.#ask(`SELECT ${name} ${from} ORDER BY 1 LIMIT ${NAMES_SHOWN_MAX}`))
    const [row] = needed(await this.#ask(`SELECT COUNT(*) AS count ${from}`))
    return { names: rows.map(({ name }) => String(name)), count: Number(row?.count) }
  }

  async #leasedEnd(): Promise<bigint> {
    const [row] = rowsOf(await this.#ask(SELECT_LEASED_END, [GENERATOR_NAME]))
    return BigInt(row?.end_id ?? 0)
  }

  async #rate(sequence: string): Promise<Rate | undefined> {
    const [row] = rowsOf(await this.#ask(SELECT_RATE, [sequence]))
    const seconds = Number(row?.seconds ?? 0)
    return seconds < RATE_SECONDS_MIN ? undefined : { ids: BigInt(row?.ids ?? 0), seconds }
  }

  #judgeMissing(missing: readonly string[], hasAgreement: boolean): Finding {
    const { schema, agreement, description } = this.#options
    const list = missing.join(', ')
    if (missing.length === 0) return ok('tables', 'all tables are there')
    if (missing.includes('generator_table') && hasAgreement)
      return bad(
        'tables',
        'failed',
        'STORE_MISCONFIGURED: generator_table is gone although ids were leased from it',
        'restore it from a backup, or import schema.sql and then insert a row whose id, multiplied by the step, lies past every id in use',
      )
    if (schema === 'manual')
      return bad('tables', 'failed', `STORE_MISCONFIGURED: missing are ${list}`, TABLE_MISSING_ADVICE)
    return ok(
      'tables',
      hasAgreement
        ? `\`seqsvr serve\` or \`seqsvr init\` makes what is missing (${list})`
        : `${description} is empty: \`seqsvr serve\` or \`seqsvr init\` makes what is missing (${list}) and agrees on step ${agreement.step}`,
    )
  }
}

function columnOf(row: Row): ColumnFacts {
  return {
    table: String(row.tableName),
    name: String(row.name),
    dataType: String(row.dataType).toLowerCase(),
    columnType: String(row.columnType).toLowerCase(),
    collation: row.collation == null ? null : String(row.collation),
    key: String(row.columnKey),
    extra: String(row.extra).toLowerCase(),
  }
}
