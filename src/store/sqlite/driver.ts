import { SequenceError } from '../../core/errors.ts'

/** Opens, and creates at need, the database in a file. What this store uses of the API that both drivers have. */
export type Driver = new (file: string, options?: { readonly readOnly: boolean }) => DriverDatabase

export interface DriverDatabase {
  exec(sql: string): void
  prepare(sql: string): DriverStatement
  close(): void
}

export interface DriverStatement {
  setReadBigInts(enabled: boolean): void
  run(...values: readonly (string | number | bigint)[]): {
    readonly changes: number | bigint
    readonly lastInsertRowid: number | bigint
  }
  get(...values: readonly (string | number | bigint)[]): unknown
  all(...values: readonly (string | number | bigint)[]): unknown[]
}

/** In order of preference. They have the same API; the first is part of Node from 22.13 on. */
const MODULES = ['node:sqlite', '@photostructure/sqlite']

/**
 * What this Node has to run SQLite with. Rejects with STORE_MISCONFIGURED where there is nothing.
 *
 * Any version of SQLite will do, since this store never writes in WAL mode, in which those below 3.51.3 may corrupt a
 * database that has several connections.
 */
export async function loadDriver(): Promise<Driver> {
  const causes: unknown[] = []
  for (const module of MODULES) {
    try {
      const { DatabaseSync } = await import(module)
      return DatabaseSync
    } catch (error) {
      causes.push(error)
    }
  }
  throw new SequenceError(
    'STORE_MISCONFIGURED',
    `Node ${process.version} has no SQLite on this system: install @photostructure/sqlite, run Node 22.13 or newer, or use MySQL`,
    { cause: new AggregateError(causes) },
  )
}
