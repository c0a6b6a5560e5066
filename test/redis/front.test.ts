import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { mysqlFixture } from '../store/mysql-fixture.ts'
import { describeRedisFront } from './contract.ts'
import { MemorySegments } from './memory-segments.ts'

describeRedisFront('a store in memory', async () => ({
  segments: new MemorySegments(),
  close: async () => {},
}))

describeRedisFront('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seqsvr-redis-'))
  const store = new SqliteStore({
    file: join(folder, 'seqsvr.sqlite'),
    schema: 'auto',
    agreement: { step: 100, first: 0 },
    uuid: '00000000-0000-7000-8000-000000000001',
    provenance: true,
    timeoutMs: 5_000,
  })
  await store.prepare()
  return {
    segments: store.segments,
    async close() {
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
})

describeRedisFront('MySQL', async () => {
  const { store, close } = await mysqlFixture()
  await store.prepare()
  return { segments: store.segments, close }
})
