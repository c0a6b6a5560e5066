import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { PipelinedLoad } from '../support/pipelined-load.ts'
import { ROOT } from '../support/root.ts'
import { mysqlEnv, type SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { database } from './for-a-test.ts'
import {
  embedded,
  isRunning,
  open,
  openWith,
  START_MS_MAX,
  scrape,
  startTree,
  withOnly,
  workersOf,
} from './tree.ts'

const IDS = 50_000
const KILLS = 10

const NEW = 'GET /new HTTP/1.1\r\nHost: x\r\n\r\n'
const PING = 'PING\r\n'

const onMariadb = async () => mysqlEnv(await database())

/** Asks a rule for an id by UDP. A reply that does not leave from `port` would not arrive. */
async function connectUdp(port: number): Promise<() => Promise<string>> {
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return async () => {
    socket.send('{"action":"create","rule_name":"order","app_name":"shop"}')
    socket.send('{"action":"get","rule_name":"order","app_name":"shop"}')
    for (;;) {
      const [reply] = await once(socket, 'message')
      const { code, action, data } = JSON.parse(String(reply))
      if (action === 'get') return `${code} ${data}`
    }
  }
}

function newIds(instance: SeqsvrProcess): PipelinedLoad {
  return new PipelinedLoad(
    instance.port,
    8,
    20,
    NEW,
    /HTTP\/1\.1 (?:200 .*?\r\n\r\n\{"code":0,"msg":"ok","data":\{"id":(\d+)\}\}|\d+ .*?\r\n\r\n\{.*?"data":null\})/,
  )
}

function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

describe('I1 with two workers: no id twice', () => {
  it.each([
    ['one MariaDB', onMariadb, 'true'],
    ['one SQLite file', embedded, 'true'],
    ['one SQLite file, without the express lane', embedded, 'false'],
  ])(
    'on %s: 100,000 ids by HTTP and Redis while a worker is killed 10 times',
    async (_name, store, lane) => {
      const redisPort = await freePort()
      const tree = await startTree({
        ...(await store()),
        SEQSVR_REDIS_PORT: `127.0.0.1:${redisPort}`,
        SEQSVR_HTTP_EXPRESS_LANE: lane,
      })
      const http = newIds(tree)
      const redis = new PipelinedLoad(redisPort, 8, 20, 'INCR orders\r\n', /(?::(\d+)|-.*?)\r\n/)
      for (let i = 0; i < KILLS; i++) {
        const [newIdsSeen, ordersSeen] = [http.count, redis.count]
        let workers: number[] = []
        await until(START_MS_MAX, () => {
          workers = workersOf(tree)
          return workers.length === 2 && http.count > newIdsSeen && redis.count > ordersSeen
        })
        const victim = workers[i % 2] as number
        process.kill(victim, 'SIGKILL')
        await until(START_MS_MAX, () => !isRunning(victim))
      }
      await until(60_000, () => http.count >= IDS && redis.count >= IDS)
      await Promise.all([http.stop(), redis.stop()])
      for (const { ids } of [http, redis]) {
        expect(duplicates(ids.flat())).toEqual([])
        // I5: a connection stays with one worker.
        for (const own of ids)
          expect(own.every((id, i) => i === 0 || BigInt(id) > BigInt(own[i - 1] as string))).toBe(true)
      }
      await until(START_MS_MAX, () => tree.output.split('SIGKILL').length - 1 === KILLS)
      expect(await tree.stop()).toBe(0)
    },
    180_000,
  )
})

describe('each worker', () => {
  it('answers by HTTP, by Redis and by UDP on the same ports', async () => {
    const [redisPort, udpPort] = [await freePort(), await freePort()]
    const file = `${await temporaryFolder()}/config.yml`
    await writeFile(
      file,
      `redis: { port: '127.0.0.1:${redisPort}' }
udp: { port: '127.0.0.1:${udpPort}', rules: [{ name: order, lua_file: ${ROOT}/rules/order_id.lua, batch_save: 100 }] }`,
    )
    const tree = await startTree(await embedded(), ['--config', file])
    const udp = await connectUdp(udpPort)
    const orders: string[] = []
    for (const pid of workersOf(tree)) {
      const ids = await withOnly(tree, pid, async () => {
        const http = await open(tree.port)
        expect(await http.ask(NEW)).toMatch(/"id":\d+\}\}$/)
        // The express lane hands this one to node:http.
        expect(await http.ask(NEW.replace('GET', 'POST'))).toMatch(/"id":\d+\}\}$/)
        const redis = await open(redisPort)
        expect(await redis.ask('INFO server\r\n')).toContain(`process_id:${pid}\r\n`)
        return [await udp(), await udp()]
      })
      orders.push(...ids)
    }
    expect(orders).toHaveLength(4)
    expect(new Set(orders).size).toBe(4)
  })

  it('hears of what was changed by way of another', async () => {
    const redisPort = await freePort()
    const token = '0123456789abcdef'
    const tree = await startTree({
      ...(await embedded()),
      // Leases that last: nobody moves on for want of ids.
      SEQSVR_STEP: '1000000',
      SEQSVR_REDIS_PORT: `127.0.0.1:${redisPort}`,
      SEQSVR_ADMIN_TOKEN: token,
    })
    const administer = async (task: string, body: object) => {
      const headers = { authorization: `Bearer ${token}`, connection: 'close' }
      const request = { method: 'POST', headers, body: JSON.stringify(body) }
      expect((await fetch(`${tree.url}/admin/${task}`, request)).ok).toBe(true)
    }
    await administer('sequences', { name: 'orders', start: 1, step: 1_000_000 })
    const [a, b] = workersOf(tree) as [number, number]
    const first = await openWith(tree, a, redisPort, PING)
    const second = await openWith(tree, b, redisPort, PING)
    const held = async () => Number((await second.ask('INCR orders\r\n')).slice(1))
    expect(await held()).toBe(1)
    expect(await first.ask('SET orders 5000000\r\n')).toBe('+OK\r\n')
    await until(5_000, async () => (await held()) > 5_000_000)
    expect(await first.ask('DEL orders\r\n')).toBe(':1\r\n')
    await until(5_000, async () => (await second.ask('GET orders\r\n')) === '$-1\r\n')

    const generator = await openWith(tree, b, tree.port, NEW)
    const next = async () => Number(/"id":(\d+)/.exec(await generator.ask(NEW))?.[1])
    expect(await next()).toBeLessThan(5_000_000)
    await withOnly(tree, a, () => administer('advance', { by: 100_000_000 }))
    await until(5_000, async () => (await next()) > 100_000_000)
  })
})

describe('what the tree tells', () => {
  it('sums in /metrics, also when a worker has been replaced', async () => {
    const tree = await startTree(await embedded())
    const issued = async () => (await scrape(tree.url))['seqsvr_ids_issued_total{front="http"}']
    for (const pid of workersOf(tree))
      await withOnly(tree, pid, () => fetch(`${tree.url}/new?count=10`, { headers: { connection: 'close' } }))
    expect(await scrape(tree.url)).toMatchObject({
      'seqsvr_ids_issued_total{front="http"}': 20,
      seqsvr_workers: 2,
      seqsvr_workers_answering: 2,
      seqsvr_ready: 1,
    })
    const [victim, other] = workersOf(tree) as [number, number]
    process.kill(victim, 'SIGKILL')
    await until(START_MS_MAX, async () => /worker \d+ serves/.test(tree.output))
    expect(await issued()).toBe(20)
    process.kill(other, 'SIGKILL')
    await until(START_MS_MAX, async () => tree.output.split(' serves').length === 3)
    await fetch(`${tree.url}/new`)
    expect(await issued()).toBe(21)
  })

  it('tells of a worker that does not answer, and is not held up by it', async () => {
    const tree = await startTree(await embedded())
    const [stuck, other] = workersOf(tree) as [number, number]
    const page = () => fetch(tree.url, { headers: { accept: 'text/html', connection: 'close' } })
    await withOnly(tree, other, async () => {
      expect(isRunning(stuck)).toBe(true)
      expect(await scrape(tree.url)).toMatchObject({ seqsvr_workers: 2, seqsvr_workers_answering: 1 })
      expect(await (await page()).text()).toContain('Not ready: this worker did not answer within 1000 ms.')
    })
    await until(5_000, async () => (await scrape(tree.url)).seqsvr_workers_answering === 2)
    const text = await (await page()).text()
    expect(text.split('aria-label="Instance ').length - 1).toBe(2)
    expect(text).not.toContain('did not answer')
  })

  it('start-up lines come once, and name a port that the system chose', async () => {
    const tree = await startTree({ ...(await embedded()), SEQSVR_REDIS_PORT: '127.0.0.1:0' })
    const lines = tree.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ message, workers }) => [message, workers])).toEqual([
      [expect.stringMatching(`^listening on ${tree.url}, SQLite `), 2],
      [expect.stringMatching(/^Redis protocol on 127\.0\.0\.1:[1-9]\d+$/), 2],
    ])
    const redisPort = Number(lines[1].message.split(':')[1])
    for (const pid of workersOf(tree)) {
      const redis = await openWith(tree, pid, redisPort, PING)
      expect(await redis.ask('INFO server\r\n')).toContain(`process_id:${pid}\r\n`)
    }
  })
})
