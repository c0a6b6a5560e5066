import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { HttpLoad } from '../support/http-load.ts'
import { createDatabase, dropDatabase, type TestDatabase } from '../support/mysql-server.ts'
import { Nginx } from '../support/nginx.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 16
/** Enough for each connection to meet each instance several times. */
const MANY = 2_000
const MANY_MS_MAX = 20_000

let database: TestDatabase
let instances: [SeqsvrProcess, SeqsvrProcess, SeqsvrProcess]
let nginx: Nginx

beforeAll(async () => {
  database = await createDatabase(inject('mysql'))
  const start = () => SeqsvrProcess.start(mysqlEnv(database))
  instances = await Promise.all([start(), start(), start()])
  nginx = await Nginx.start([instances[0].port, instances[1].port, instances[2].port])
})

afterAll(async () => {
  await nginx?.stop()
  await Promise.all(instances?.map((instance) => instance.kill()) ?? [])
  if (database) await dropDatabase(database)
})

/** Runs `disturb` in the middle of a load and checks that the load has not noticed. */
async function undisturbed(load: HttpLoad, disturb: () => Promise<void>): Promise<void> {
  const manyMore = () => {
    const wanted = load.ids.length + MANY
    return until(MANY_MS_MAX, () => load.ids.length >= wanted)
  }
  try {
    await manyMore()
    await disturb()
    await manyMore()
  } finally {
    await load.stop()
  }
  expect(load.failures.slice(0, 5)).toEqual([])
  expect(new Set(load.ids).size, 'ids without repeats').toBe(load.ids.length)
}

describe('three instances behind nginx with the settings of deploy/nginx.conf', () => {
  it('are restarted one after the other without a failed request or a repeated id (I1)', async () => {
    await undisturbed(new HttpLoad(`${nginx.url}/new`, CONNECTIONS), async () => {
      for (const instance of instances) {
        expect(await instance.stop()).toBe(0)
        await instance.restart()
      }
    })
  })

  it.each(['GET', 'POST'] as const)(
    'lose one of them to kill -9 without a failed %s or a repeated id (I1)',
    async (method) => {
      const [victim] = instances
      await undisturbed(new HttpLoad(`${nginx.url}/new`, CONNECTIONS, method), () => victim.kill())
      await victim.restart()
    },
  )

  it('show nobody outside what is for operators', async () => {
    const operators = [
      '/',
      '/livez',
      '/readyz',
      '/metrics',
      '/admin',
      '/admin/sequences',
      '/docs',
      '/openapi.json',
    ]
    for (const path of [...operators, '/new/', '/%2e/admin', '/new/../admin/sequences']) {
      const response = await fetch(nginx.url + path)
      expect(response.status, path).toBe(404)
      expect(await response.text(), path).toContain('nginx')
    }
  })

  it('forward whatever gives ids', async () => {
    const bodies: string[] = []
    for (const path of ['/new?count=2', '/alloc', '/health', '/rule'])
      bodies.push(await (await fetch(nginx.url + path)).text())
    expect(bodies).toEqual([
      expect.stringMatching(/^\{"code":0,"msg":"ok","data":\{"id":/),
      '{"resp_code":-1,"msg":"need app_tag param","id":0}',
      '{"resp_code":-1,"msg":"need app_tag param","left":0}',
      expect.stringContaining('rule_name'),
    ])
  })

  it('answer 503 in the form of the contract when all of them are gone, and serve again once one is back', async () => {
    await Promise.all(instances.map((instance) => instance.stop()))
    const response = await fetch(`${nginx.url}/new`)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      code: -1,
      msg: 'no instance of seqsvr answers; try again',
      data: null,
    })
    await instances[2].restart()
    expect((await fetch(`${nginx.url}/new`)).status).toBe(200)
    await Promise.all([instances[0].restart(), instances[1].restart()])
  })
})
