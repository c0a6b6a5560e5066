import { mysqlFixture } from './mysql-fixture.ts'
import { describeSegmentsContract } from './segments-contract.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

describeSegmentsContract('SQLite', async () => {
  const { store, another, sql, close } = await sqliteFixture()
  return {
    store,
    another,
    insertRow: async (name, maxId, step) =>
      sql('INSERT INTO segments (app_tag, max_id, step) VALUES (?, ?, ?)', name, maxId, step),
    removeRow: async (name) => sql('DELETE FROM segments WHERE app_tag = ?', name),
    close,
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
