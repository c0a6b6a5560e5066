import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { loadDriver } from '../../src/store/sqlite/driver.ts'
import { SqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** An instance on a file, not prepared yet. Closed with the test. */
export function openSqlite(file: string, options: Partial<SqliteStoreOptions> = {}): SqliteStore {
  const store = new SqliteStore({
    file,
    schema: 'auto',
    agreement: { step: 100, first: 0 },
    uuid: randomUUID(),
    provenance: true,
    timeoutMs: 20_000,
    ...options,
  })
  onTestFinished(() => store.close())
  return store
}

/** A file of SQLite of a test's own, with as many stores on it as it opens. */
export async function sqliteFixture() {
  const file = `${await temporaryFolder()}/seqsvr.sqlite`
  const Driver = await loadDriver()
  async function another(): Promise<SqliteStore> {
    const store = openSqlite(file)
    await store.prepare()
    return store
  }
  return {
    store: await another(),
    another,
    /** Runs a statement as a person would, on a connection of its own. */
    sql(statement: string, ...values: readonly (string | number | bigint)[]): void {
      const database = new Driver(file)
      database.prepare(statement).run(...values)
      database.close()
    },
    // Stores and folder go with the test.
    close: async () => {},
  }
}
