import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { HttpLoad } from '../support/http-load.ts'
import { takeIds } from '../support/id-load.ts'
import { createDatabase, dropDatabase, MysqlServer } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const REQUESTS = 200_000
const CONNECTIONS = 64

async function start(count: number, env: Record<string, string>): Promise<SeqsvrProcess[]> {
  const instances = await Promise.all(Array.from({ length: count }, () => SeqsvrProcess.start(env)))
  onTestFinished(async () => {
    await Promise.all(instances.map((instance) => instance.kill()))
  })
  return instances
}

async function sharedDatabase(): Promise<Record<string, string>> {
  const database = await createDatabase(inject('mysql'))
  onTestFinished(() => dropDatabase(database))
  return mysqlEnv(database)
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

describe('I1: no id twice', () => {
  it.each([
    [
      'one instance on the embedded store',
      1,
      async () => ({ SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` }),
    ],
    [
      'two processes on one SQLite file',
      2,
      async () => ({ SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` }),
    ],
    ['three instances on one MySQL database', 3, sharedDatabase],
  ])(
    '%s: 200,000 requests on 64 connections, with step 100, no error',
    async (_name, count, env) => {
      const instances = await start(count, await env())
      const ids = await takeIds(
        instances.map(({ url }) => `${url}/new`),
        REQUESTS,
        CONNECTIONS,
      )
      expect(ids).toHaveLength(REQUESTS)
      expect(duplicates(ids)).toEqual([])
    },
    120_000,
  )

  it('kill -9 of an instance under load, 20 times', async () => {
    const instances = await start(2, await sharedDatabase())
    const loads = instances.map(({ url }) => new HttpLoad(`${url}/new`, 8))
    for (let i = 0; i < 20; i++) {
      const victim = instances[i % instances.length] as SeqsvrProcess
      const served = loads[i % loads.length] as HttpLoad
      const before = served.ids.length
      await until(10_000, () => served.ids.length > before + 50)
      await victim.kill()
      await victim.restart()
    }
    await Promise.all(loads.map((load) => load.stop()))
    expect(duplicates(loads.flatMap(({ ids }) => ids))).toEqual([])
  }, 120_000)

  it('kill -9 of the database under load, 5 times', async () => {
    const server = await MysqlServer.start()
    onTestFinished(() => server.stop())
    const instances = await start(2, mysqlEnv(await createDatabase(server.login)))
    const loads = instances.map(({ url }) => new HttpLoad(`${url}/new`, 8))
    for (let i = 0; i < 5; i++) {
      const before = loads.map(({ ids }) => ids.length)
      await until(10_000, () => loads.every(({ ids }, k) => ids.length > (before[k] as number) + 200))
      await server.kill('SIGKILL')
      await server.restart()
    }
    await Promise.all(loads.map((load) => load.stop()))
    expect(duplicates(loads.flatMap(({ ids }) => ids))).toEqual([])
  }, 120_000)
})

describe('I5: order', () => {
  it('ids that one connection gets strictly increase', async () => {
    const [instance] = await start(1, await sharedDatabase())
    const ids = await takeIds([`${(instance as SeqsvrProcess).url}/new`], 5_000, 1)
    expect(ids.every((id, i) => i === 0 || BigInt(id) > BigInt(ids[i - 1] as string))).toBe(true)
  })
})
