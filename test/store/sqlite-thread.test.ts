import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { errorOf } from './contract.ts'
import { openSqlite } from './sqlite-fixture.ts'

/** The threads that stores start from now on. */
function watchWorkers(): Worker[] {
  const workers: Worker[] = []
  const watch = (worker: Worker) => void workers.push(worker)
  process.on('worker', watch)
  onTestFinished(() => void process.off('worker', watch))
  return workers
}

describe('the thread', () => {
  it('is started again after it died, with STORE_UNAVAILABLE for the request it had', async () => {
    const workers = watchWorkers()
    const store = openSqlite(`${await temporaryFolder()}/a.sqlite`)
    await store.prepare()
    const lost = errorOf(store.generator.lease(1, 0n))
    await workers[0]?.terminate()
    expect(await lost).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('trying again'),
    })
    const [lease] = await store.generator.lease(1, 0n)
    expect(lease?.start).toBeGreaterThanOrEqual(100n)
    expect(workers).toHaveLength(2)
  })

  it('I2 throws away what comes too late, and lets nothing queue behind it', async () => {
    const workers = watchWorkers()
    const store = openSqlite(`${await temporaryFolder()}/a.sqlite`, { timeoutMs: 1_000 })
    await store.prepare()

    // As when its disk hangs: what the store asks of the thread is held up.
    const worker = workers[0] as Worker
    const send = worker.postMessage.bind(worker)
    const held: unknown[] = []
    worker.postMessage = (message) => void held.push(message)
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('did not answer within 1000 ms'),
    })
    expect(await errorOf(store.generator.lease(1, 0n))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(held).toHaveLength(1)

    worker.postMessage = send
    const answered = once(worker, 'message')
    send(held[0])
    await answered
    expect(await store.generator.lease(1, 0n)).toEqual([{ start: 200n, end: 300n }])
  })

  it('ends with the store', async () => {
    const workers = watchWorkers()
    const store = openSqlite(`${await temporaryFolder()}/a.sqlite`)
    await store.prepare()
    const lost = errorOf(store.generator.lease(1, 0n))
    await store.close()
    expect(await lost).toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
  })
})
