import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { loadDriver } from '../../src/store/sqlite/driver.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { mysqlFixture } from './mysql-fixture.ts'
import { describeSegmentsContract } from './segments-contract.ts'

describeSegmentsContract('SQLite', async () => {
  const folder = await mkdtemp(`${tmpdir()}/seqsvr-segments-`)
  const file = `${folder}/seqsvr.sqlite`
  const Driver = await loadDriver()
  const stores: SqliteStore[] = []
  const open = async () => {
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
    store: await open(),
    another: open,
    async insertRow(name, maxId, step) {
      const database = new Driver(file)
      database.prepare('INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)').run(name, maxId, step)
      database.close()
    },
    async removeRow(name) {
      const database = new Driver(file)
      database.prepare('DELETE FROM segments WHERE app_tag = ?').run(name)
      database.close()
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      await rm(folder, { recursive: true })
    },
  }
})

describeSegmentsContract('MySQL', async () => {
  const fixture = await mysqlFixture()
  await fixture.store.prepare()
  return {
    store: fixture.store,
    another: () => fixture.another(),
    async insertRow(name, maxId, step) {
      await fixture.sql('INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)', [name, maxId, step])
    },
    async removeRow(name) {
      await fixture.sql('DELETE FROM segments WHERE app_tag = ?', [name])
    },
    close: () => fixture.close(),
  }
})
