import { readFile } from 'node:fs/promises'
import { SequenceError } from '../../core/errors.ts'
import type { GeneratorAgreement } from '../../core/store.ts'
import { checkAgreement } from '../generator.ts'
import { isDdlDenied, TABLE_MISSING_ADVICE } from './errors.ts'
import type { Session } from './session.ts'
import type { Transactions } from './transactions.ts'

export interface PreparationOptions {
  readonly transactions: Transactions
  /** Whether missing tables are made, or are somebody else's affair. */
  readonly schema: 'auto' | 'manual'
  readonly agreement: GeneratorAgreement
  /** Whether the table of leases is needed. */
  readonly provenance: boolean
  /** Names the server in errors. */
  readonly description: string
}

const SCHEMA = new URL('../../../schema.sql', import.meta.url)

const SELECT_TABLES = `
SELECT table_name AS name, engine FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name IN ('generator_table', 'segments', 'counter', 'seqsvr_meta', 'seqsvr_leases')`

/** Those of them that are always needed. */
export const TABLES = ['generator_table', 'segments', 'counter', 'seqsvr_meta']

const LEASES_MISSING_ADVICE =
  'the table seqsvr_leases is missing: import schema.sql, or run `seqsvr init` with a user who may create tables, ' +
  'or set provenance.days to 0'

export const ENGINES_WITHOUT_TRANSACTIONS = new Set(['MyISAM', 'Aria', 'MEMORY', 'CSV'])

const INSERT_AGREEMENT = `
INSERT IGNORE INTO seqsvr_meta (name, value) VALUES ('generator.step', ?), ('generator.first', ?)`

const SELECT_AGREEMENT = `
SELECT
  (SELECT value FROM seqsvr_meta WHERE name = 'generator.step') AS step,
  (SELECT value FROM seqsvr_meta WHERE name = 'generator.first') AS first`

const SELECT_MAX_ID = 'SELECT MAX(id) AS maxId FROM generator_table'

const SKIP_LEASE = 'INSERT INTO generator_table (id, uuid) VALUES (?, UUID())'

/**
 * Makes the tables and the agreement (I7), each once.
 *
 * A table that vanishes later is not made again: an empty `generator_table` starts at lease 1, so that every
 * instance that has not seen the ids before would repeat them (I1). For the same reason none is made where an
 * agreement shows that there was one.
 */
export class Preparation {
  readonly #options: PreparationOptions
  #tables: Promise<void> | undefined
  #agreement: Promise<void> | undefined
  #doneBefore = false

  constructor(options: PreparationOptions) {
    this.#options = options
  }

  /** Makes the tables, which is all that named sequences and counters need. Does nothing once it has succeeded. */
  tables(): Promise<void> {
    this.#tables ??= this.#makeTables().then(
      () => {
        this.#doneBefore = true
      },
      (error: unknown) => {
        this.#tables = undefined
        throw error
      },
    )
    return this.#tables
  }

  /** What `Store.prepare` promises. Does nothing once it has succeeded, until `forget`. */
  prepare(): Promise<void> {
    this.#agreement ??= this.tables()
      .then(() => this.#agree())
      .catch((error: unknown) => {
        this.#agreement = undefined
        throw error
      })
    return this.#agreement
  }

  /** Has the next call look again, since the tables are not as they were. */
  forget(): void {
    this.#tables = undefined
    this.#agreement = undefined
  }

  async #makeTables(): Promise<void> {
    const { transactions, schema } = this.#options
    const tables = await this.#existingTables()
    const missing = this.#missingOf(tables)
    if (missing.length === 0) return
    if (schema === 'manual' || this.#doneBefore) throw this.#tableMissing(missing)
    await transactions.run((session) => this.#createTables(session, tables))
  }

  async #existingTables(): Promise<string[]> {
    const rows = await this.#options.transactions.run((session) => session.rows(SELECT_TABLES))
    for (const { name, engine } of rows)
      if (ENGINES_WITHOUT_TRANSACTIONS.has(String(engine)))
        throw this.#misconfigured(
          `the table ${name} is of engine ${engine}, which has no transactions, so that ids would repeat: ` +
            `ALTER TABLE ${name} ENGINE = InnoDB`,
        )
    return rows.map((row) => String(row.name))
  }

  async #agree(): Promise<void> {
    const { transactions, agreement } = this.#options
    await transactions.run(async (session) => {
      const { affectedRows } = await session.run(INSERT_AGREEMENT, [agreement.step, agreement.first])
      const [row] = await session.rows(SELECT_AGREEMENT)
      checkAgreement({ step: BigInt(row?.step), first: BigInt(row?.first) }, agreement)
      if (affectedRows > 0 && agreement.first === 0) await skipLease(session)
    })
  }

  async #createTables(session: Session, tables: readonly string[]): Promise<void> {
    if (tables.includes('seqsvr_meta') && !tables.includes('generator_table')) {
      const [row] = await session.rows(SELECT_AGREEMENT)
      if (row?.step != null)
        throw this.#misconfigured(
          'generator_table is gone although ids were leased from it. Restore it from a backup, or import ' +
            'schema.sql and then insert a row whose id, multiplied by the step, lies past every id in use',
        )
    }
    const schema = await readFile(SCHEMA, 'utf8')
    try {
      for (const statement of schema.split(/;$/m)) if (statement.trim() !== '') await session.run(statement)
    } catch (error) {
      if (isDdlDenied(error)) throw this.#tableMissing(this.#missingOf(tables), error)
      throw error
    }
  }

  #missingOf(tables: readonly string[]): string[] {
    const needed = this.#options.provenance ? [...TABLES, 'seqsvr_leases'] : TABLES
    return needed.filter((name) => !tables.includes(name))
  }

  #tableMissing(missing: readonly string[], cause?: unknown): SequenceError {
    const isLeasesOnly = missing.every((name) => name === 'seqsvr_leases')
    return this.#misconfigured(isLeasesOnly ? LEASES_MISSING_ADVICE : TABLE_MISSING_ADVICE, cause)
  }

  #misconfigured(what: string, cause?: unknown): SequenceError {
    return new SequenceError('STORE_MISCONFIGURED', `${this.#options.description}: ${what}`, { cause })
  }
}

/**
 * Rows without an agreement are an older server's, whose lease n ends one id later than ours: at the first id of
 * lease n+1, which must not be served again (I1).
 */
async function skipLease(session: Session): Promise<void> {
  const [row] = await session.rows(SELECT_MAX_ID)
  if (row?.maxId != null) await session.run(SKIP_LEASE, [BigInt(row.maxId) + 1n])
}
