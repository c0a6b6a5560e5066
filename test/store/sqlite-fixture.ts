import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { loadDriver } from '../../src/store/sqlite/driver.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'

/** A file of SQLite of a test's own, with as many stores on it as it opens. */
export async function sqliteFixture() {
  const folder = await mkdtemp(`${tmpdir()}/seqsvr-sqlite-`)
  const file = `${folder}/seqsvr.sqlite`
  const Driver = await loadDriver()
  const stores: SqliteStore[] = []
  async function another(): Promise<SqliteStore> {
    const store = new SqliteStore({
      file,
      schema: 'auto',
      agreement: { step: 100, first: 0 },
      uuid: randomUUID(),
      provenance: true,
      timeoutMs: 10_000,
    })
    stores.push(store)
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
    async close(): Promise<void> {
      await Promise.all(stores.map((store) => store.close()))
      await rm(folder, { recursive: true })
    },
  }
}
