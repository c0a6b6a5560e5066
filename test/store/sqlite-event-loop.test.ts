import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { loadDriver } from '../../src/store/sqlite/driver.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openSqlite } from './sqlite-fixture.ts'

it('I8: a commit that takes long keeps nobody from anything: the event loop is idle meanwhile', async () => {
  const file = `${await temporaryFolder()}/seqsvr.sqlite`
  const store = openSqlite(file)
  await store.prepare()

  // Another process of the same file: a commit waits for its lock as it would wait for a slow disk.
  const Database = await loadDriver()
  const other = new Database(file)
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')

  let granted = false
  const before = performance.eventLoopUtilization()
  const lease = store.generator.lease(100, 0n).then(() => {
    granted = true
  })
  await sleep(500)
  const { utilization } = performance.eventLoopUtilization(before)
  expect(granted).toBe(false)
  // In this thread it would be 1.
  expect(utilization).toBeLessThan(0.5)

  other.exec('ROLLBACK')
  await lease
})
