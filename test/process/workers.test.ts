import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { createDatabase, dropDatabase } from '../support/mysql-server.ts'
import { PipelinedLoad } from '../support/pipelined-load.ts'
import { ROOT } from '../support/root.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { seqsvr } from './command.ts'

const IDS = 50_000
const KILLS = 10
const START_MS_MAX = 20_000

const NEW = 'GET /new HTTP/1.1\r\nHost: x\r\n\r\n'
const PING = 'PING\r\n'

const embedded = async () => ({ SEQSVR_SQLITE_FILE: `${await temporaryFolder()}/a.sqlite` })

async function onMariadb(): Promise<Record<string, string>> {
  const database = await createDatabase(inject('mysql'))
  onTestFinished(() => dropDatabase(database))
  return mysqlEnv(database)
}

/** A tree of two workers, both of which serve. Killed with the test, whatever is left of it. */
async function startTree(env: Record<string, string>, args: readonly string[] = []): Promise<SeqsvrProcess> {
  const tree = await SeqsvrProcess.start({ SEQSVR_WORKERS: '2', ...env }, args)
  onTestFinished(async () => {
    const workers = tree.running ? workersOf(tree) : []
    await tree.kill()
    for (const pid of workers) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  await until(START_MS_MAX, async () => {
    const { seqsvr_workers_answering, seqsvr_ready } = await scrape(tree.url)
    return seqsvr_workers_answering === 2 && seqsvr_ready === 1 && tree.output.includes('listening on')
  })
  return tree
}

function workersOf({ pid }: SeqsvrProcess): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? []
  return children.map(Number).filter(isRunning)
}

function isRunning(pid: number): boolean {
  try {
    // A zombie has ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The values of `/metrics`. Each scrape has a connection of its own. */
async function scrape(url: string): Promise<Record<string, number>> {
  const body = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** Stops all workers but one while `act` works: what the tree then does is that one's. */
async function withOnly<T>(tree: SeqsvrProcess, pid: number, act: () => Promise<T>): Promise<T> {
  const others = workersOf(tree).filter((worker) => worker !== pid)
  for (const other of others) process.kill(other, 'SIGSTOP')
  try {
    return await act()
  } finally {
    for (const other of others) process.kill(other, 'SIGCONT')
  }
}

interface Talk {
  readonly socket: Socket
  /** Sends bytes. Resolves with what comes back first. */
  ask(request: string): Promise<string>
}

/** A connection. It has a worker when it has been answered: the system takes it before. */
async function open(port: number): Promise<Talk> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    socket,
    ask: async (request) => {
      socket.write(request)
      const [reply] = await once(socket, 'data')
      return reply as string
    },
  }
}

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

/** A connection with one worker. `request` has it answer. */
function openWith(tree: SeqsvrProcess, pid: number, port: number, request: string): Promise<Talk> {
  return withOnly(tree, pid, async () => {
    const talk = await open(port)
    await talk.ask(request)
    return talk
  })
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

describe('signals', () => {
  /** A request that is not complete keeps its connection open while its worker drains. */
  async function halfRequest(tree: SeqsvrProcess) {
    const { socket } = await open(tree.port)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    // The system resets the connection of a process that has ended with something unread.
    socket.on('error', () => {})
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n')
    const ended = new Promise((resolve) => void socket.once('close', resolve))
    return {
      finish: async () => {
        socket.write('\r\n')
        await ended
        return answer
      },
    }
  }

  /** One half request in each worker. */
  async function halfRequests(tree: SeqsvrProcess) {
    const requests = []
    for (const pid of workersOf(tree))
      requests.push(
        await withOnly(tree, pid, async () => {
          const request = await halfRequest(tree)
          // Answered behind it: so the worker has read it.
          await (await open(tree.port)).ask('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
          return request
        }),
      )
    return requests
  }

  const draining = /HTTP\/1\.1 503 .*connection: close.*"msg":"draining"/is

  function drained(tree: SeqsvrProcess, workers: number): Promise<void> {
    return until(5_000, () => tree.output.split('draining for').length - 1 === workers)
  }

  it('SIGTERM to the primary drains all, and ends with 0', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const requests = await halfRequests(tree)
    const stopped = tree.stop()
    await drained(tree, 2)
    for (const { finish } of requests) expect(await finish()).toMatch(draining)
    expect(await stopped).toBe(0)
    expect(workers.filter(isRunning)).toEqual([])
  })

  it('one signal to the whole group is one, and a second one ends all at once', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const [request] = await halfRequests(tree)
    const stopped = tree.stop()
    for (const pid of workers) process.kill(pid, 'SIGTERM')
    await drained(tree, 2)
    expect(workers.filter(isRunning)).toEqual(workers)
    await tree.stop()
    expect(await stopped).toBe(1)
    await until(5_000, () => workers.every((pid) => !isRunning(pid)))
    await request?.finish()
  })

  it('SIGTERM to one worker drains that one, and another takes its place', async () => {
    const tree = await startTree(await embedded())
    const [one, other] = workersOf(tree) as [number, number]
    const [request, another] = await halfRequests(tree)
    process.kill(one, 'SIGTERM')
    await drained(tree, 1)
    expect((await fetch(`${tree.url}/readyz`, { headers: { connection: 'close' } })).status).toBe(200)
    expect(await request?.finish()).toMatch(draining)
    await until(START_MS_MAX, () => / serves/.test(tree.output))
    expect(workersOf(tree)).toEqual([other, expect.any(Number)])
    const stopped = tree.stop()
    await drained(tree, 3)
    expect(await another?.finish()).toMatch(draining)
    expect(await stopped).toBe(0)
  })

  it('a primary that is killed: its workers finish what is open, and end', async () => {
    const tree = await startTree(await embedded())
    const workers = workersOf(tree)
    const requests = await halfRequests(tree)
    await tree.kill()
    for (const { finish } of requests) expect(await finish()).toMatch(draining)
    await until(5_000, () => workers.every((pid) => !isRunning(pid)))
  })

  it('SIGHUP reloads all of them, or none where the configuration has problems', async () => {
    const file = `${await temporaryFolder()}/config.yml`
    const rule = (lua: string) =>
      `log: {level: warn}\nudp: {port: '127.0.0.1:0', rules: [{name: order, lua_file: ${lua}, batch_save: 1}]}`
    await writeFile(file, rule(`${ROOT}/rules/order_id.lua`).replace('warn', 'info'))
    const tree = await startTree(await embedded(), ['--config', file])
    const told = (text: string) => tree.output.split(text).length - 1
    await writeFile(file, 'log: {level: loud}')
    tree.signal('SIGHUP')
    await until(5_000, () => told('not reloaded, going on as before: log.level') === 1)
    await writeFile(file, rule('nowhere.lua'))
    tree.signal('SIGHUP')
    await until(5_000, () => told('not reloaded, going on as before: ') === 3)
    await writeFile(file, rule(`${ROOT}/rules/order_id.lua`).replace('warn', 'debug'))
    tree.signal('SIGHUP')
    await until(START_MS_MAX, () => told('reloaded: log level debug, rules: order') === 2)
    // And what starts from now on has it from the start.
    process.kill(workersOf(tree)[0] as number, 'SIGKILL')
    await until(START_MS_MAX, () => / serves/.test(tree.output))
    await until(START_MS_MAX, () => tree.output.split('"message":"leased"').length - 1 >= 1)
  })
})

describe('what cannot start ends the tree, with one line', () => {
  it('a port that is taken: exit 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const result = await seqsvr(['--workers', '2', '--port', `127.0.0.1:${port}`], await embedded())
    expect([result.code, result.stderr]).toEqual([1, ''])
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining(`port ${port} is in use`)])
  })

  it('another step than the store agrees on: exit 1', async () => {
    const env = await embedded()
    expect((await seqsvr(['init', '--step', '7'], env)).code).toBe(0)
    const result = await seqsvr(['--workers', '2', '--port', '127.0.0.1:0'], env)
    expect(result.code).toBe(1)
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining('STEP_MISMATCH')])
  })

  it('a rule that is wrong: exit 78', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/wrong.lua`, 'this is not Lua')
    const file = `${folder}/config.yml`
    await writeFile(file, `udp: {rules: [{name: order, lua_file: ${folder}/wrong.lua, batch_save: 1}]}`)
    const args = ['--workers', '2', '--port', '127.0.0.1:0', '--config', file]
    const result = await seqsvr(args, await embedded())
    expect(result.code).toBe(78)
    expect(result.stdout.trim().split('\n')).toEqual([expect.stringContaining('wrong.lua:1: syntax error')])
  })
})
