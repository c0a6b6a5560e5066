import { type Finding, type FindingTable, findingsOf } from '../../core/finding.ts'
import { ENGINES_WITHOUT_TRANSACTIONS } from './preparation.ts'

/** What is looked at in the tables of MySQL besides what every store has. */
export const tableFindings = {
  engine: {
    severities: ['danger'],
    why: 'without transactions a lease is not taken back when it fails halfway, and two instances can get the same one; seqsvr refuses such a table, older servers do not',
  },
  columns: {
    severities: ['failed'],
    why: 'seqsvr reads and writes these columns',
  },
  'counter-behind': {
    severities: ['failed'],
    why: 'the next lease would get a number that is in use, which seqsvr refuses (I3); an older server would take it',
  },
  'name-collation': {
    severities: ['warning'],
    why: 'the table takes names that differ in case or accents for one: `Orders` and `orders` cannot both be sequences, and two such app_names share one counter, which leaves gaps',
  },
} as const satisfies FindingTable

const { ok, bad } = findingsOf(tableFindings)

export interface TableFacts {
  readonly name: string
  readonly engine: string
}

export interface ColumnFacts {
  readonly table: string
  readonly name: string
  /** As `int` or `bigint`, and as `bigint(20) unsigned`. */
  readonly dataType: string
  readonly columnType: string
  readonly collation: string | null
  /** `PRI`, `UNI`, `MUL` or nothing. */
  readonly key: string
  readonly extra: string
}

type Kind = 'integer' | 'text'

/** What each column is used as. */
const COLUMNS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  generator_table: { id: 'integer', uuid: 'text' },
  segments: { app_tag: 'text', max_id: 'integer', step: 'integer' },
  counter: {
    node_offset: 'integer',
    counter: 'integer',
    update_time: 'integer',
    rule_name: 'text',
    app_name: 'text',
  },
  seqsvr_meta: { name: 'text', value: 'integer' },
}

/** Columns that tell rows apart by name. */
const NAMES = new Set(['segments.app_tag', 'counter.rule_name', 'counter.app_name'])

const INTEGER_BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  bigint: 64n,
}

const TEXT_TYPE = /^(var)?(char|binary)$|text$|blob$/

/** The greatest value of an integer column, of a type such as `int(11)` or `bigint unsigned`. */
export function greatestOf({ dataType, columnType }: Pick<ColumnFacts, 'dataType' | 'columnType'>): bigint {
  const bits = INTEGER_BITS[dataType] ?? 64n
  return 2n ** (columnType.includes('unsigned') ? bits : bits - 1n) - 1n
}

/** What the engines and columns of the tables that exist mean for leases. */
export function judgeTables(tables: readonly TableFacts[], columns: readonly ColumnFacts[]): Finding[] {
  return [
    ...tables.flatMap(judgeEngine),
    ...tables.flatMap(({ name }) => judgeColumns(name, columns)),
    ...judgeCollation(columns),
  ]
}

function judgeEngine({ name, engine }: TableFacts): Finding[] {
  if (!ENGINES_WITHOUT_TRANSACTIONS.has(engine)) return [ok('engine', `${name} is of engine ${engine}`)]
  return [
    bad(
      'engine',
      'danger',
      `${name} is of engine ${engine}, which has no transactions`,
      `ALTER TABLE ${name} ENGINE = InnoDB`,
    ),
  ]
}

function judgeColumns(table: string, columns: readonly ColumnFacts[]): Finding[] {
  const problems = Object.entries(COLUMNS[table] ?? {}).flatMap(([name, kind]) => {
    const column = columns.find((other) => other.table === table && other.name === name)
    if (column === undefined) return [`${table}.${name} is missing`]
    const isOfKind = kind === 'integer' ? column.dataType in INTEGER_BITS : TEXT_TYPE.test(column.dataType)
    return isOfKind
      ? keyProblems(column)
      : [`${table}.${name} is ${column.columnType}, not of a type for ${kind}s`]
  })
  if (problems.length === 0) return [ok('columns', `${table} has the columns that seqsvr uses`)]
  return [bad('columns', 'failed', problems.join('; '), `bring ${table} into the shape that schema.sql has`)]
}

function keyProblems({ table, name, key, extra }: ColumnFacts): string[] {
  const column = `${table}.${name}`
  if (column === 'generator_table.id' && !extra.includes('auto_increment'))
    return [`${column} does not count by itself`]
  const isUnique = key === 'PRI' || key === 'UNI'
  return !isUnique && ['generator_table.id', 'segments.app_tag', 'seqsvr_meta.name'].includes(column)
    ? [`${column} is not a unique key`]
    : []
}

function judgeCollation(columns: readonly ColumnFacts[]): Finding[] {
  const names = columns.filter(({ table, name }) => NAMES.has(`${table}.${name}`))
  if (names.length === 0) return []
  const loose = names.filter(({ collation }) => collation !== null && !/_bin$|^binary$/.test(collation))
  if (loose.length === 0) return [ok('name-collation', 'names are compared byte for byte')]
  return [
    bad(
      'name-collation',
      'warning',
      loose.map(({ table, name, collation }) => `${table}.${name} has the collation ${collation}`).join('; '),
      `where both spellings are needed: ${loose.map(({ table, name }) => `ALTER TABLE ${table} MODIFY ${name} VARBINARY(${name === 'app_tag' ? 512 : 256}) NOT NULL`).join('; ')}`,
    ),
  ]
}

/** What SHOW CREATE TABLE says of the counter, after `maxId` was read. */
export function judgeCounter(generatorTable: string, maxId: bigint): Finding {
  const next = BigInt(/\bAUTO_INCREMENT=(\d+)/.exec(generatorTable)?.[1] ?? 1)
  if (next > maxId) return ok('counter-behind', `the next lease number is ${next} or more`)
  return bad(
    'counter-behind',
    'failed',
    `the next lease number is ${next}, although generator_table has ${maxId}`,
    'stop older servers on this table, and move it past every id in use: `seqsvr sequence advance --all --by N`',
  )
}
