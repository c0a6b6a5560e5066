import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDatabase, createUser, MysqlServer, query, type TestDatabase } from '../support/mysql-server.ts'
import { mysqlEnv, SeqsvrProcess } from '../support/seqsvr-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { seqsvr } from './command.ts'
import { database } from './for-a-test.ts'

async function serveEmbedded(env: Record<string, string> = {}): Promise<SeqsvrProcess> {
  const folder = await temporaryFolder()
  const instance = await SeqsvrProcess.start({ SEQSVR_SQLITE_FILE: `${folder}/seqsvr.sqlite`, ...env })
  onTestFinished(() => instance.kill())
  return instance
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text()
}

describe('serve on a fresh embedded store', () => {
  it('I5: /new answers 100, 101, … 199, 200 with exactly these bytes', async () => {
    const { url } = await serveEmbedded()
    const bodies: string[] = []
    for (let i = 0; i <= 100; i++) bodies.push(await get(`${url}/new`))
    expect(bodies[0]).toBe('{"code":0,"msg":"ok","data":{"id":100}}')
    expect(bodies[99]).toBe('{"code":0,"msg":"ok","data":{"id":199}}')
    expect(bodies[100]).toBe('{"code":0,"msg":"ok","data":{"id":200}}')
    expect(new Set(bodies).size).toBe(101)
  })

  it('says where it listens and what to type next', async () => {
    const instance = await serveEmbedded()
    await until(5000, () => instance.output.includes(`listening on ${instance.url}`))
    expect(instance.output).toContain(`try: curl ${instance.url}/new`)
  })

  it('I6: first: 1 serves what the older server of this design serves', async () => {
    const { url } = await serveEmbedded({ SEQSVR_FIRST: '1' })
    expect(await get(`${url}/new`)).toBe('{"code":0,"msg":"ok","data":{"id":101}}')
  })

  it('goes on above all ids of its last life after a restart', async () => {
    const instance = await serveEmbedded()
    expect(await get(`${instance.url}/new`)).toContain('"id":100')
    expect(await instance.stop()).toBe(0)
    await instance.restart()
    expect(await get(`${instance.url}/new`)).toContain('"id":200')
  })

  it('logs one JSON object a line, and nothing for an id', async () => {
    const instance = await serveEmbedded()
    for (let i = 0; i < 300; i++) await get(`${instance.url}/new`)
    await instance.stop()
    const lines = instance.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ level, message }) => [level, message.split(' ')[0]])).toEqual([
      ['INFO', 'listening'],
      ['INFO', 'SIGTERM:'],
      ['INFO', 'stopped'],
    ])
  })
})

describe('draining', () => {
  it('turns readiness to 503, closes connections behind their answers and ends with 0', async () => {
    const instance = await serveEmbedded()
    const socket = connect(instance.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let answers = ''
    socket.on('data', (chunk) => {
      answers += chunk
    })
    // A request that is not complete yet keeps its connection open while the instance drains.
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n')
    await once(socket, 'connect')
    expect((await fetch(`${instance.url}/readyz`)).status).toBe(200)
    const stopped = instance.stop()
    await until(5000, () => instance.output.includes('draining'))
    socket.write('\r\n')
    await once(socket, 'end')
    expect(await stopped).toBe(0)
    expect(answers).toMatch(
      /HTTP\/1\.1 503 .*connection: close.*\{"code":-1,"msg":"draining","data":null\}$/is,
    )
  })

  it('a second signal ends it at once', async () => {
    const instance = await serveEmbedded()
    const socket = connect(instance.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.write('GET /new HTTP/1.1\r\nHost: x\r\n')
    await once(socket, 'connect')
    await fetch(`${instance.url}/livez`)
    const first = instance.stop()
    await until(5000, () => instance.output.includes('draining'))
    await instance.stop()
    expect(await first).toBe(1)
  })
})

describe('SIGHUP', () => {
  it('reloads the log level, or keeps it where the configuration has problems', async () => {
    const folder = await temporaryFolder()
    const file = `${folder}/config.yml`
    await writeFile(file, 'log: {level: info}')
    const instance = await SeqsvrProcess.start({ SEQSVR_SQLITE_FILE: `${folder}/a.sqlite` }, [
      '--config',
      file,
    ])
    onTestFinished(() => instance.kill())
    await writeFile(file, 'log: {level: debug}')
    instance.signal('SIGHUP')
    await until(5000, () => instance.output.includes('reloaded: log level debug'))
    for (let i = 0; i < 100; i++) await get(`${instance.url}/new`)
    await until(5000, () => instance.output.includes('"level":"DEBUG"'))
    await writeFile(file, 'log: {level: loud}')
    instance.signal('SIGHUP')
    await until(5000, () => instance.output.includes('not reloaded'))
    expect((await fetch(`${instance.url}/new`)).status).toBe(200)
  })
})

describe('what keeps an instance from starting ends it with one clear line', () => {
  it('bad configuration: every problem with its path, exit 78', async () => {
    const result = await seqsvr([], { SEQSVR_STEP: 'x', SEQSVR_MYSQL_PORT: '70000', SEQSVR_LOGLEVEL: 'info' })
    expect(result.code).toBe(78)
    expect(result.stderr.trim().split('\n').sort()).toEqual([
      'seqsvr: SEQSVR_LOGLEVEL: unknown environment variable; did you mean `SEQSVR_LOG_LEVEL`?',
      'seqsvr: mysql.database: is missing; set it in config.yml or as SEQSVR_MYSQL_DATABASE',
      'seqsvr: mysql.port: must be a whole number from 1 to 65535, but is "70000" (from SEQSVR_MYSQL_PORT)',
      'seqsvr: mysql.user: is missing; set it in config.yml or as SEQSVR_MYSQL_USER',
      'seqsvr: step: must be a whole number from 1 to 1000000000, but is "x" (from SEQSVR_STEP)',
    ])
  })

  it.each([
    ['an unknown flag', ['--prot', '1']],
    ['an unknown command', ['sevre']],
  ])('%s: exit 2', async (_name, args) => {
    expect((await seqsvr(args)).code).toBe(2)
  })

  it.each([
    ['--help', 'Usage: seqsvr'],
    ['--version', '0.'],
  ])('%s: exit 0', async (flag, text) => {
    const result = await seqsvr([flag])
    expect([result.code, result.stdout.includes(text)]).toEqual([0, true])
  })

  it('a taken port: exit 1', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void squatter.close())
    await once(squatter, 'listening')
    const { port } = squatter.address() as AddressInfo
    const folder = await temporaryFolder()
    const result = await seqsvr(['--port', `127.0.0.1:${port}`, '--sqlite-file', `${folder}/a.sqlite`])
    expect([result.code, result.stderr]).toEqual([1, ''])
    expect(result.stdout.trim().split('\n')).toHaveLength(1)
    expect(result.stdout).toContain(`port ${port} is in use`)
  })

  it.each([
    [
      'a wrong password',
      async () => ({ ...(await createUser(await database(), 'ALL')), password: 'wrong' }),
      'password',
    ],
    [
      'an unknown database',
      async () => ({ ...(await database()), database: 'seqsvr_nowhere' }),
      'seqsvr_nowhere',
    ],
    [
      'missing tables without the right to make them',
      async () => createUser(await database(), 'SELECT, INSERT, UPDATE, DELETE'),
      'seqsvr init',
    ],
    ['another step than the other instances', async () => agreedOnAnotherStep(), 'step'],
  ])('%s: exit 1', async (_name, prepare, hint) => {
    const login = await prepare()
    const result = await seqsvr(['--port', '127.0.0.1:0'], mysqlEnv(login))
    expect([result.code, result.stderr]).toEqual([1, ''])
    expect(result.stdout.trim().split('\n')).toHaveLength(1)
    expect(result.stdout).toContain(hint)
    expect(result.stdout).not.toContain('    at ')
  })

  async function agreedOnAnotherStep(): Promise<TestDatabase> {
    const made = await database()
    expect((await seqsvr(['init', '--step', '7'], mysqlEnv(made))).code).toBe(0)
    return made
  }
})

describe('init and check', () => {
  it('check finds an empty store fit, and after init a ready one', async () => {
    const env = mysqlEnv(await database())
    const empty = await seqsvr(['check'], env)
    expect([empty.code, empty.stdout]).toEqual([0, expect.stringContaining('is empty')])
    expect((await seqsvr(['init'], env)).code).toBe(0)
    const ready = await seqsvr(['check'], env)
    expect([ready.code, ready.stdout]).toEqual([0, expect.stringContaining('agrees on step 100')])
  })

  it('check fails where tables are missing that a person must make', async () => {
    const result = await seqsvr(['check', '--schema', 'manual'], mysqlEnv(await database()))
    expect([result.code, result.stdout]).toEqual([1, expect.stringContaining('STORE_MISCONFIGURED')])
  })

  it('check fails on another step than the agreed one', async () => {
    const env = mysqlEnv(await database())
    expect((await seqsvr(['init', '--step', '7'], env)).code).toBe(0)
    const result = await seqsvr(['check'], env)
    expect([result.code, result.stdout]).toEqual([1, expect.stringContaining('STEP_MISMATCH')])
  })

  it('check makes nothing, neither in MySQL nor on the disk', async () => {
    const made = await database()
    await seqsvr(['check'], mysqlEnv(made))
    expect(await query(made, 'SHOW TABLES')).toEqual([])
    const folder = await temporaryFolder()
    // Not its exit code: where temporary files are in memory that is a danger.
    expect((await seqsvr(['check', '--sqlite-file', `${folder}/a/b.sqlite`])).stdout).toContain('ok: tables')
    expect(await readdir(folder)).toEqual([])
  })

  it('commands for named sequences do not agree on a step', async () => {
    const folder = await temporaryFolder()
    for (const env of [mysqlEnv(await database()), { SEQSVR_SQLITE_FILE: `${folder}/a.sqlite` }]) {
      expect((await seqsvr(['sequence', 'create', 'orders'], { ...env, SEQSVR_STEP: '7' })).code).toBe(0)
      const { stdout } = await seqsvr(['check'], { ...env, SEQSVR_STEP: '100' })
      expect(stdout).toContain('ok: agreement: none yet')
    }
  })
})

describe('a store that goes away', () => {
  it('down at start: listens, is live, is not ready and says so, then serves when the store is there', async () => {
    const server = await MysqlServer.start()
    onTestFinished(() => server.stop())
    const made = await createDatabase(server.login)
    await server.kill('SIGKILL')
    const instance = await SeqsvrProcess.startUnready(mysqlEnv(made))
    onTestFinished(() => instance.kill())
    await until(
      5000,
      async () => (await fetch(`${instance.url}/livez`).catch(() => undefined))?.status === 200,
    )
    expect((await fetch(`${instance.url}/readyz`)).status).toBe(503)
    await until(5000, () => instance.output.includes('not ready'))
    await server.restart()
    await until(1000, async () => (await fetch(`${instance.url}/readyz`)).status === 200)
    expect(await get(`${instance.url}/new`)).toBe('{"code":0,"msg":"ok","data":{"id":100}}')
  })

  it('lost while serving: held ids, then 503 with Retry-After, then ids within a second of its return', async () => {
    const server = await MysqlServer.start()
    onTestFinished(() => server.stop())
    const instance = await SeqsvrProcess.start(mysqlEnv(await createDatabase(server.login)))
    onTestFinished(() => instance.kill())
    expect(await get(`${instance.url}/new`)).toContain('"id":100')
    await server.kill('SIGKILL')
    for (let id = 101; id < 200; id++)
      expect(await get(`${instance.url}/new`)).toBe(`{"code":0,"msg":"ok","data":{"id":${id}}}`)
    await until(5000, () => instance.output.includes('"not ready: '))
    const refused = await fetch(`${instance.url}/new`)
    expect([
      refused.status,
      refused.headers.get('retry-after'),
      refused.headers.get('cache-control'),
    ]).toEqual([503, '1', 'no-store'])
    expect(await refused.json()).toEqual({
      code: -1,
      msg: expect.stringContaining('STORE_UNAVAILABLE'),
      data: null,
    })
    expect((await fetch(`${instance.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${instance.url}/livez`)).status).toBe(200)
    await server.restart()
    await until(1000, async () => (await fetch(`${instance.url}/readyz`)).status === 200)
    expect(await get(`${instance.url}/new`)).toContain('"id":200')
    await until(5000, () => instance.output.includes('"ready again"'))
    expect(instance.output.match(/"(not ready: |ready again)/g)).toEqual(['"not ready: ', '"ready again'])
  })
})
