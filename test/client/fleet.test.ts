import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { type Id, IdClient } from '../../src/client/id-client.ts'
import { createDatabase, dropDatabase, type TestDatabase } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
let instances: SeqsvrProcess[]

beforeAll(async () => {
  database = await createDatabase(inject('mysql'))
  instances = await Promise.all([1, 2].map(() => SeqsvrProcess.start(mysqlEnv(database))))
})

afterAll(async () => {
  await Promise.all(instances?.map((instance) => instance.kill()) ?? [])
  if (database) await dropDatabase(database)
})

function client(): IdClient {
  const made = new IdClient({ servers: instances.map(({ url }) => url) })
  onTestFinished(() => made.close())
  return made
}

describe('clients of two instances on one MySQL database', () => {
  it('I1: 200,000 ids of four clients, waited for by many at once or taken from memory, are all different', async () => {
    const ids: Id[] = []
    async function take(from: IdClient): Promise<void> {
      while (ids.length < 200_000) {
        ids.push(...(await Promise.all(Array.from({ length: 50 }, () => from.next()))))
        for (let id = from.tryNext(); id !== undefined && ids.length % 97 !== 0; id = from.tryNext())
          ids.push(id)
      }
    }
    await Promise.all([1, 2, 3, 4].map(() => take(client())))
    expect(ids.length).toBeGreaterThanOrEqual(200_000)
    expect(new Set(ids).size).toBe(ids.length)
  }, 60_000)

  it.each([
    ['kill -9', (victim: SeqsvrProcess) => victim.kill()],
    ['SIGTERM', (victim: SeqsvrProcess) => victim.stop()],
  ])(
    'I1: one of them ends by %s under load, again and again: no call fails, no id is repeated',
    async (_how, end) => {
      const ids: Id[] = []
      const failures: unknown[] = []
      let stopping = false
      async function ask(from: IdClient): Promise<void> {
        while (!stopping)
          await Promise.all(Array.from({ length: 20 }, () => from.next())).then(
            (more) => ids.push(...more),
            (error: unknown) => failures.push(error),
          )
      }
      // A pause in each turn, so that memory does not decide how much is asked.
      async function askNow(from: IdClient): Promise<void> {
        while (!stopping) {
          await from.next().then(
            (id) => ids.push(id),
            (error: unknown) => failures.push(error),
          )
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const asking = [askNow(client()), askNow(client()), ask(client())]
      try {
        for (const victim of [...instances, ...instances]) {
          const before = ids.length
          await until(20_000, () => ids.length > before + 2_000)
          await end(victim)
          const without = ids.length
          await until(20_000, () => ids.length > without + 2_000)
          await victim.restart()
        }
      } finally {
        stopping = true
        await Promise.all(asking)
      }
      expect(failures.slice(0, 3)).toEqual([])
      expect(new Set(ids).size).toBe(ids.length)
    },
    60_000,
  )
})
